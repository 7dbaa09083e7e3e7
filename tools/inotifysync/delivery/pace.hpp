// SPDX-License-Identifier: GPL-2.0-or-later
// How soon one run may follow another. A change that comes alone goes at once, and so do a few in a row;
// under a steady stream the runs are spaced out, and each carries more. Pure: the caller says what time it
// is.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>

namespace inotifysync {

class Pace {
 public:
  using Time = std::chrono::steady_clock::time_point;
  using Duration = std::chrono::nanoseconds;

  // From so many names on a list is long: the waiting connection would take a fifth more time over it, so it
  // goes in a run of its own.
  static constexpr std::size_t long_list = 500;

  Duration wait(Time now) const {
    return std::max({Duration::zero(), even_at_ - at_once * interval - now, rests_until_ - now});
  }
  void started(Time now) { even_at_ = std::max(even_at_, now) + interval; }
  void rest(Time until) { rests_until_ = until; }

 private:
  static constexpr Duration interval = std::chrono::milliseconds(100);
  static constexpr int at_once = 5;
  Time even_at_{};  // when the runs so far, spaced out, would be over
  Time rests_until_{};
};

}  // namespace inotifysync
