// SPDX-License-Identifier: GPL-2.0-or-later
#include "inotifywait/move_pairs.hpp"

#include <algorithm>

namespace notify_tools::inotifywait {

using namespace notify_core;

void MovePairs::take(const Event& event, Time now, const Emit& emit) {
  if ((event.mask & mask::moved_from) != 0) {
    held_.push_back({KeptEvent(event), now + patience, true});
    return;
  }
  std::string old_path;
  const Event whole = (event.mask & mask::moved_to) != 0 ? paired(event, old_path) : event;
  if (held_.empty() || !held_.front().waiting) release(emit);
  if (held_.empty()) return emit(whole);
  held_.push_back({KeptEvent(whole), now, false});
}

// `event`, and where it has one its other half in it. That half waits no longer.
Event MovePairs::paired(const Event& event, std::string& old_path) {
  const auto other = std::ranges::find_if(
      held_, [&](const Held& held) { return held.waiting && held.event.view().cookie == event.cookie; });
  if (other == held_.end()) return event;
  old_path = other->event.path();
  held_.erase(other);
  Event whole = event;
  whole.mask |= mask::moved_from;
  whole.old_path = old_path;
  return whole;
}

void MovePairs::release(const Emit& emit) {
  while (!held_.empty() && !held_.front().waiting) {
    const Held held = std::move(held_.front());
    held_.pop_front();
    emit(held.event.view());
  }
}

void MovePairs::expire(Time now, const Emit& emit) {
  for (Held& held : held_) {
    if (held.due <= now) held.waiting = false;
  }
  release(emit);
}

void MovePairs::finish(const Emit& emit) {
  expire(Time::max(), emit);
}

std::optional<Time> MovePairs::next_due() const {
  if (held_.empty()) return std::nullopt;
  return held_.front().due;
}

}  // namespace notify_tools::inotifywait
