// SPDX-License-Identifier: GPL-2.0-or-later
// Where events are printed: gathered in one buffer and written at once, so that a batch costs one system
// call.
//
// Who reads a pipe slowly does not hold up the reading of events, for the kernel's queue of them is short:
// what the pipe has no room for is kept here, up to a bound.
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

  // What is to be printed is appended here; grown() after each line, write_some() before every wait.
  std::string& buffer() { return buffer_; }
  void grown() {
    if (left() >= enough) write_what_is_too_much();
  }

  // Writes what can be written without waiting: all of it, unless it goes to a pipe that is full.
  void write_some();
  // Something is left, so a wait should end too when descriptor() can be written to.
  bool is_behind() const { return left() != 0 && trouble_ == 0; }
  int descriptor() const { return fd_; }

  // Writes all of it, waiting where it must.
  void flush();

  // Why what is left could not be written (minus the errno), or 0: a disk is full, say. It is kept, up to the
  // bound, and tried again with what comes next. A pipe that nobody reads is no trouble: SIGPIPE ends the
  // program or, where that is ignored, nobody misses what is dropped.
  int trouble() const { return trouble_; }
  // The bound was passed since the trouble began: lines were dropped.
  bool has_dropped() const { return has_dropped_; }

 private:
  static constexpr std::size_t enough = 1 << 20;
  static constexpr std::size_t most_kept = 32 << 20;  // about a million lines

  Output(int fd, notify_core::sys::Fd owned);

  std::size_t left() const { return buffer_.size() - written_; }
  bool write_once();
  void write_what_is_too_much();
  void forget_written();

  int fd_;
  notify_core::sys::Fd owned_;
  notify_core::sys::Fd pipe_;  // fd_, where that is a pipe: writing to it never waits
  bool is_enlarged_ = false;   // or was asked to be, once
  bool is_known_ = false;      // whether it is; found out at the first write, for descriptors may be few
  std::string buffer_;
  std::size_t written_ = 0;  // so much of the buffer is
  int trouble_ = 0;
  bool has_dropped_ = false;
};

}  // namespace notify_tools
