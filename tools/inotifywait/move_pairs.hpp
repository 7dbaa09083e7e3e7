// SPDX-License-Identifier: GPL-2.0-or-later
// The two halves of a rename, made one event.
#pragma once

#include <deque>
#include <optional>

#include "inotifywait/kept_event.hpp"

namespace notify_tools::inotifywait {

// The kernel queues the halves right after each other, but others' events may come between them. So a
// MOVED_FROM waits a moment for its MOVED_TO, and what comes after it waits too: the order stays. Pure: the
// time is told.
class MovePairs {
 public:
  static constexpr std::chrono::milliseconds patience{10};

  void take(const notify_core::Event& event, Time now, const Emit& emit);
  // Gives up on what has waited long enough.
  void expire(Time now, const Emit& emit);
  void finish(const Emit& emit);
  std::optional<Time> next_due() const;

 private:
  struct Held {
    KeptEvent event;
    Time due;
    bool waiting;  // a MOVED_FROM whose other half may still come
  };

  notify_core::Event paired(const notify_core::Event& event, std::string& old_path);
  void release(const Emit& emit);

  std::deque<Held> held_;  // empty, or begins with one that waits
};

}  // namespace notify_tools::inotifywait
