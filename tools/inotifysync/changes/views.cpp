// SPDX-License-Identifier: GPL-2.0-or-later
#include "inotifysync/changes/views.hpp"

#include <algorithm>
#include <utility>

namespace inotifysync {

void Views::add(ChangeSet fresh) {
  if (fresh.empty()) return;
  const auto shared = std::make_shared<ChangeSet>(std::move(fresh));
  const std::vector<std::shared_ptr<ChangeSet>> before =
      std::exchange(pending_, decltype(pending_)(pending_.size()));
  for (std::size_t i = 0; i < before.size(); ++i) {
    if (pending_[i]) continue;
    std::shared_ptr<ChangeSet> merged = shared;
    if (before[i]) {
      // Nobody but these targets may see a set grow: a plan may have been made of it.
      const auto holders = std::count(before.begin(), before.end(), before[i]);
      merged = before[i].use_count() > holders ? std::make_shared<ChangeSet>(*before[i]) : before[i];
      merged->merge(*shared);
    }
    for (std::size_t k = i; k < before.size(); ++k) {
      if (before[k] == before[i]) pending_[k] = merged;
    }
  }
}

std::shared_ptr<const ChangeSet> Views::take(std::size_t target) {
  return std::exchange(pending_[target], nullptr);
}

void Views::put_back(std::size_t target, ChangeSet unconfirmed) {
  if (unconfirmed.empty()) return;
  if (pending_[target]) unconfirmed.merge(*pending_[target]);
  pending_[target] = std::make_shared<ChangeSet>(std::move(unconfirmed));
}

}  // namespace inotifysync
