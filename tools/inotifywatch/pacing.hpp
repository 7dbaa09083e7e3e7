// SPDX-License-Identifier: GPL-2.0-or-later
// When to rest between two reads, so that one read brings many events. Pure: the clock is the caller's.
#pragma once

#include <chrono>
#include <cstddef>

namespace notify_tools::inotifywatch {

class Pacing {
 public:
  using Time = std::chrono::steady_clock::time_point;
  using Length = std::chrono::nanoseconds;

  // A read brought so many events. How long to rest, and then read without waiting; 0: not at all.
  //
  // Only a steady, high rate is a reason, so that events which come alone are counted at once; and not where
  // the kernel's queue might become full meanwhile. Resting has to pay, too: the kernel merges equal events
  // that follow each other unread, and of a file written to in small steps a rest leaves next to nothing to
  // count. If reads after rests bring only a few events, it looks like that, and there is no more resting for
  // a while. Rests that pay grow, up to what brings a good many events.
  Length rest_after(Time now, std::size_t events);

 private:
  static constexpr Length shortest = std::chrono::milliseconds(1);

  void learn_from_rest(Time now, std::size_t events);

  Time window_began_{};
  Time no_rest_before_{};
  std::size_t window_events_ = 0;
  std::size_t rate_ = 0;  // events in a window
  Length length_ = shortest;
  int in_vain_ = 0;
  bool rested_ = false;
};

}  // namespace notify_tools::inotifywatch
