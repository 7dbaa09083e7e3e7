// SPDX-License-Identifier: GPL-2.0-or-later
// When to rest between two reads, so that one read brings many events. Pure: the clock is the caller's.
#pragma once

#include <chrono>
#include <cstddef>

namespace notify_tools::inotifywatch {

class Pacing {
 public:
  using Time = std::chrono::steady_clock::time_point;
  static constexpr std::chrono::nanoseconds rest = std::chrono::milliseconds(1);

  // A read brought so many events. True: rest, and then read without waiting.
  //
  // Only a steady, high rate is a reason, so that events which come alone are counted at once; and not where
  // the kernel's queue might become full meanwhile. Resting has to pay, too: the kernel merges equal events
  // that follow each other unread, and of a file written to in small steps a rest leaves next to nothing to
  // count. If reads after rests bring only a few events, it looks like that, and there is no more resting for
  // a while.
  bool rest_after(Time now, std::size_t events);

 private:
  Time window_began_{};
  Time no_rest_before_{};
  std::size_t window_events_ = 0;
  int in_vain_ = 0;
  bool busy_ = false;
  bool rested_ = false;
};

}  // namespace notify_tools::inotifywatch
