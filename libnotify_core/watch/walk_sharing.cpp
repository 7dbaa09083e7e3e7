// SPDX-License-Identifier: GPL-2.0-or-later
#include "watch/walk_sharing.hpp"

#include <utility>

#include "sys/syscall.hpp"

namespace notify_core::watch {

WalkSharing::~WalkSharing() {
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
  }
  changed_.notify_all();
  if (second_.joinable()) second_.join();
}

void WalkSharing::start(RunWith run) {
  started_ = true;
  second_ = sys::start_with_own_working_directory([this, run = std::move(run)](bool own) {
    if (!own) return;
    placer_->use_working_directory(true);
    help_until([this] { return ended_; }, [&](WalkShare& share) { run(*placer_, share); });
  });
}

bool WalkSharing::offer(const std::shared_ptr<WalkShare>& share) {
  {
    const std::lock_guard lock(mutex_);
    if (!wanted()) return false;
    offered_ = share;
    update_wanted();
  }
  changed_.notify_all();
  return true;
}

bool WalkSharing::await(const WalkShare& share, const Run& run) {
  help_until([&] { return share.done || ended_; }, run);
  if (!share.done) return false;
  if (share.thrown) std::rethrow_exception(share.thrown);
  return true;
}

// `over` is asked with the mutex held. Who waits for a share that nobody has taken up yet takes it itself.
void WalkSharing::help_until(const std::function<bool()>& over, const Run& run) {
  std::unique_lock lock(mutex_);
  for (;;) {
    ++idle_;
    update_wanted();
    changed_.wait(lock, [&] { return offered_ != nullptr || over(); });
    --idle_;
    std::shared_ptr<WalkShare> share;
    if (!over()) share = std::exchange(offered_, nullptr);
    update_wanted();
    if (share == nullptr) return;
    lock.unlock();
    try {
      run(*share);
    } catch (...) {
      share->thrown = std::current_exception();
    }
    share->directory.reset();
    lock.lock();
    share->done = true;
    changed_.notify_all();
  }
}

}  // namespace notify_core::watch
