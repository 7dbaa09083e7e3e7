// SPDX-License-Identifier: GPL-2.0-or-later
// Signals as data: read from a descriptor, never acted on in a handler.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <initializer_list>
#include <optional>
#include <thread>

#include "notify_core/error.hpp"
#include "sys/fd.hpp"

namespace notify_tools::inotifywatch {

// From create() on, the calling thread and those it starts later are not interrupted by these signals.
// Signals that were ignored when the program started are heard all the same. They stay blocked when this
// ends.
class Signals {
 public:
  static notify_core::Result<Signals> create(std::initializer_list<int> numbers);

  int descriptor() const { return fd_.get(); }
  // The number of a signal that came; 0: none did.
  int next();

 private:
  explicit Signals(notify_core::sys::Fd fd) : fd_(std::move(fd)) {}
  notify_core::sys::Fd fd_;
};

struct Ready {
  bool events = false;
  bool signals = false;
};
// Waits until one of the two descriptors can be read, at most `timeout` (none: for ever). `events` may be -1.
Ready wait_ready(int events, int signals, std::optional<std::chrono::nanoseconds> timeout);

// Hands signals on, one after the other, from a thread of its own, while the main thread is busy with
// something that cannot be interrupted. Ends with its object; what came and was not handed on stays for
// Signals::next().
class SignalThread {
 public:
  static notify_core::Result<SignalThread> create(Signals& signals, std::function<void(int number)> handle);
  ~SignalThread();
  SignalThread(SignalThread&&) = default;
  SignalThread& operator=(SignalThread&&) = delete;

 private:
  SignalThread(notify_core::sys::Fd stop, std::thread thread)
      : stop_(std::move(stop)), thread_(std::move(thread)) {}
  notify_core::sys::Fd stop_;  // an eventfd(2)
  std::thread thread_;
};

// Rows and columns of the terminal at standard output; nothing where it is none.
struct TerminalSize {
  unsigned rows = 0;
  unsigned columns = 0;
};
std::optional<TerminalSize> terminal_size();

}  // namespace notify_tools::inotifywatch
