// SPDX-License-Identifier: GPL-2.0-or-later
// A standard stream, or a log file, that never keeps the program waiting: where its reader stands still,
// lines are kept up to a bound, and then dropped and counted.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "sys/fd.hpp"

namespace inotifysync {

class PatientStream {
 public:
  explicit PatientStream(int fd) : fd_(fd) {}
  PatientStream(PatientStream&&) noexcept = default;
  PatientStream& operator=(PatientStream&&) noexcept = default;
  ~PatientStream() { flush(); }  // waits for a second, at most

  // `line` ends in a newline. 0, also where it has to wait or was dropped, or minus the errno of write(2).
  int write(std::string_view line);
  // The same for what is kept.
  int write_kept();
  void flush();
  // Whether its reader stands still.
  bool waits() const { return !kept_.empty(); }

 private:
  static constexpr std::size_t most_kept = 64 * 1024;

  std::ptrdiff_t write_some(std::string_view text);

  int fd_;
  notify_core::sys::Fd again_;  // fd_, where that is a pipe or a terminal
  bool is_known_ = false;       // whether it is
  std::string kept_;
  std::size_t dropped_ = 0;  // lines, since the last that was kept
};

}  // namespace inotifysync
