// SPDX-License-Identifier: GPL-2.0-or-later
#include "text/labels.hpp"

#include <algorithm>

#include "event/event_mask.hpp"

namespace notify_core::text {

// inotify sends some thirty different masks; fanotify may merge events into more, so the list has an end.
std::string_view Labels::of(EventMask mask) {
  constexpr std::size_t most_known = 64;
  const auto found = std::ranges::find(known_, mask, &std::pair<EventMask, std::string>::first);
  if (found != known_.end()) return found->second;
  if (known_.size() == most_known) known_.clear();
  std::string& label = known_.emplace_back(mask, std::string()).second;
  event::append_labels(label, mask, separator_);
  return label;
}

}  // namespace notify_core::text
