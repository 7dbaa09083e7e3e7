// SPDX-License-Identifier: GPL-2.0-or-later
#include "inotifysync/changes/views.hpp"

#include <algorithm>
#include <utility>

namespace inotifysync {

std::size_t Views::add_target() {
  const auto free = std::find(is_used_.begin(), is_used_.end(), false);
  const auto target = static_cast<std::size_t>(free - is_used_.begin());
  if (free == is_used_.end()) {
    pending_.emplace_back();
    is_used_.push_back(true);
  }
  is_used_[target] = true;
  return target;
}

void Views::remove_target(std::size_t target) {
  pending_[target].reset();
  is_used_[target] = false;
}

void Views::add(ChangeSet fresh) {
  if (fresh.empty()) return;
  const auto shared = std::make_shared<ChangeSet>(std::move(fresh));
  const std::vector<std::shared_ptr<ChangeSet>> before =
      std::exchange(pending_, decltype(pending_)(pending_.size()));
  for (std::size_t i = 0; i < before.size(); ++i) {
    if (pending_[i] || !is_used_[i]) continue;
    std::shared_ptr<ChangeSet> merged = shared;
    if (before[i]) {
      // Nobody but these targets may see a set grow: a plan may have been made of it.
      const auto holders = std::count(before.begin(), before.end(), before[i]);
      merged = before[i].use_count() > holders ? std::make_shared<ChangeSet>(*before[i]) : before[i];
      merged->merge(*shared);
    }
    for (std::size_t k = i; k < before.size(); ++k) {
      if (before[k] == before[i] && is_used_[k]) pending_[k] = merged;
    }
  }
}

void Views::doubt_births(std::size_t target) {
  if (!pending_[target]) return;
  auto doubted = std::make_shared<ChangeSet>(*pending_[target]);
  doubted->doubt_births();
  pending_[target] = std::move(doubted);
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
