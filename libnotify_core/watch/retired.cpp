// SPDX-License-Identifier: GPL-2.0-or-later
// Watches that are of nobody any more, and are to be ended in the kernel.
#include <algorithm>

#include "watch/watcher_impl.hpp"

namespace notify_core {

using watch::no_node;

// Nothing in the tree is watched by it. One that hid is ended in its turn.
void Watcher::Impl::end_stranger(int watch) {
  if (watch >= 0 && tree_.by_watch(watch) == no_node && !births_.hidden(watch)) backend_->remove(watch);
}

// A directory that left the tree has come back before its watch was ended. What is still queued of that
// speaks of another time: it is ended now, and the directory may be watched anew.
bool Watcher::Impl::was_ended(int watch) {
  ended_hidden_ = births_.hidden(watch);
  if (!births_.found(watch) && retired_.erase(watch) == 0) return false;
  backend_->remove(watch);
  return true;
}

// Ends watches in the kernel. Each makes an "ignored" record, so no more are ended at once than the queue has
// room for; the rest follows after the next read.
void Watcher::Impl::retire_some() {
  const std::size_t most = std::max<std::size_t>(1, std::min<std::size_t>(1024, backend_->queue_limit() / 4));
  std::size_t ended = 0;
  for (auto next = retired_.begin(); next != retired_.end() && ended < most;) {
    const int watch = *next;
    next = retired_.erase(next);
    ++ended;
    if (tree_.by_watch(watch) == no_node) backend_->remove(watch);  // not if it came back meanwhile
  }
}

}  // namespace notify_core
