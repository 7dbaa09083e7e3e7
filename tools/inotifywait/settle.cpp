// SPDX-License-Identifier: GPL-2.0-or-later
#include "inotifywait/settle.hpp"

namespace notify_tools::inotifywait {

using namespace notify_core;

void Settle::take(const Event& event, Time now) {
  KeptEvent kept(event);
  std::string path = kept.path();
  const auto known = by_path_.find(path);
  if (known == by_path_.end()) {
    unsettled_.push_back({std::move(kept), now + quiet_, path});
    by_path_.emplace(std::move(path), std::prev(unsettled_.end()));
    return;
  }
  const auto place = known->second;
  place->event.join(event);
  place->due = now + quiet_;
  unsettled_.splice(unsettled_.end(), unsettled_, place);
}

void Settle::expire(Time now, const Emit& emit) {
  while (!unsettled_.empty() && unsettled_.front().due <= now) {
    const Unsettled settled = std::move(unsettled_.front());
    by_path_.erase(settled.path);
    unsettled_.pop_front();
    emit(settled.event.view());
  }
}

void Settle::finish(const Emit& emit) {
  expire(Time::max(), emit);
}

std::optional<Time> Settle::next_due() const {
  if (unsettled_.empty()) return std::nullopt;
  return unsettled_.front().due;
}

}  // namespace notify_tools::inotifywait
