// SPDX-License-Identifier: GPL-2.0-or-later
// Words for people: lines on stderr, or in the system log once that was asked for.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>

#include "notify_core/error.hpp"

namespace notify_tools {

class Diagnostics {
 public:
  // `program` is argv[0]; lines of the system log begin with its last part.
  explicit Diagnostics(std::string_view program);
  Diagnostics(const Diagnostics&) = delete;
  Diagnostics& operator=(const Diagnostics&) = delete;

  const std::string& program() const { return program_; }  // the last part of argv[0]

  // From now on lines go to syslog(3), as daemon.info with the process id.
  void use_syslog();

  // Whether a person reads the lines as they come.
  bool on_terminal() const;

  // `line` without its newline. A line that cannot be written is lost: there is nobody left to tell. On a
  // terminal control characters are made visible, as the names in it may come from anybody.
  void say(std::string_view line) const;
  template <class... Words>
  void say(fmt::format_string<Words...> format, const Words&... words) const {
    say(std::string_view(fmt::vformat(format, fmt::make_format_args(words...))));
  }

 private:
  std::string program_;
  bool syslog_ = false;
};

// Whether lines on stderr may have colours: it is a terminal that has them, and NO_COLOR does not forbid it.
bool wants_colours();

// What the call said of itself, or strerror(3) of its errno.
std::string reason(const notify_core::Error& error);

// A standard stream that was closed when the program started stands for /dev/null, so that no descriptor
// opened later lands there and is written to by mistake. Called first of all in main().
void open_missing_standard_streams();

}  // namespace notify_tools
