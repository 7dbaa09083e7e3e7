// SPDX-License-Identifier: GPL-2.0-or-later
// Where events are printed: gathered in one buffer and written at once, so that a batch costs one system
// call.
#pragma once

#include <cstddef>
#include <string>

#include "notify_core/error.hpp"
#include "sys/fd.hpp"

namespace notify_tools {

class Output {
 public:
  // A pipe is made large enough for a batch where the system allows it, so that a slow reader holds nothing
  // up.
  static Output standard();
  // Appends to the file; a new one is readable by its owner alone.
  static notify_core::Result<Output> to_file(const std::string& path);

  // What is to be printed; written by flush(), which is called before every wait.
  std::string& buffer() { return buffer_; }
  bool is_full() const { return buffer_.size() >= enough; }

  // Errors are not looked at: nobody would be there to hear of them. SIGPIPE ends the program, unless
  // ignored.
  void flush();

 private:
  static constexpr std::size_t enough = 1 << 20;

  Output(int fd, notify_core::sys::Fd owned);

  int fd_;
  notify_core::sys::Fd owned_;
  std::string buffer_;
};

}  // namespace notify_tools
