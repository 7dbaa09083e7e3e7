// SPDX-License-Identifier: GPL-2.0-or-later
// Which directories were made lately: what left them before they were watched has left unheard. Pure data.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace notify_core::watch {

struct Births {
  std::vector<int> watches;  // in the order in which they were listed
  // Of each that was gone when it was to be watched: not made before this. Nanoseconds, ascending.
  std::vector<std::int64_t> missed;

  bool empty() const { return watches.empty() && missed.empty(); }
  void miss(std::int64_t not_before) {
    if (missed.empty() || missed.back() < not_before) missed.push_back(not_before);
  }
  // Was one missed that was, as far as is known, there at `time`, and `latest` before that at most?
  bool has_missed(std::int64_t time, std::int64_t latest) const {
    const auto after = std::ranges::upper_bound(missed, time);
    return after != missed.begin() && time - *(after - 1) <= latest;
  }
};

}  // namespace notify_core::watch
