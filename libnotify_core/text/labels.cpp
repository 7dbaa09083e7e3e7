// SPDX-License-Identifier: GPL-2.0-or-later
#include "text/labels.hpp"

#include "event/event_mask.hpp"

namespace notify_core::text {

[[gnu::hot]] std::string_view Labels::look_up(EventMask mask) {
  for (const auto& [known, label] : known_) {
    if (known != mask) continue;
    if (label.size() <= sizeof last_) {
      last_mask_ = mask;
      last_size_ = static_cast<unsigned char>(label.copy(last_, sizeof last_));
    }
    return label;
  }
  return put_together(mask);
}

// inotify sends some thirty different masks; fanotify may merge events into more, so the list has an end.
[[gnu::cold]] std::string_view Labels::put_together(EventMask mask) {
  constexpr std::size_t most_known = 64;
  if (known_.size() == most_known) known_.clear();
  std::string& label = known_.emplace_back(mask, std::string()).second;
  event::append_labels(label, mask, separator_);
  return label;
}

}  // namespace notify_core::text
