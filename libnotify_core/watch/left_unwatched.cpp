// SPDX-License-Identifier: GPL-2.0-or-later
// Directories of the tree that nobody watches, and no event says when they may be watched: what a filesystem
// had hidden that was unmounted, what the limit of watches left out, and what could not be opened for want of
// descriptors. They are looked at when all has been read.
#include <algorithm>
#include <cerrno>
#include <string>
#include <utility>
#include <vector>

#include "sys/handle.hpp"
#include "sys/syscall.hpp"
#include "watch/watcher_impl.hpp"

namespace notify_core {

using watch::no_node;
using watch::NodeId;
using watch::ScanKind;

namespace {

constexpr std::int64_t second = 1'000'000'000;
constexpr std::int64_t longest_pause = 64 * second;

std::int64_t monotonic_now() {
  return sys::nanoseconds(sys::now(CLOCK_MONOTONIC));
}

}  // namespace

// The kernel says so of all that is watched in the filesystem, in no order: only what stands in a directory
// that stays is of interest, and drop_one() forgets the rest.
void Watcher::Impl::unmounted(NodeId node) {
  if (tree_.is_root(node) || !options_.recursive || !options_.follow_tree) return;
  uncovered_[tree_.watch(tree_.parent(node))].insert(std::string(tree_.name(node)));
}

// What is there now has been there all along: its entries are no news.
void Watcher::Impl::watch_uncovered() {
  for (const auto& [watch, names] : std::exchange(uncovered_, {})) {
    for (const std::string& name : names) {
      const NodeId parent = tree_.by_watch(watch);
      if (parent != no_node) born(parent, name, ScanKind::arrival);
    }
  }
}

void Watcher::Impl::forget_unwatched(NodeId node) {
  if (!uncovered_.empty()) uncovered_.erase(tree_.watch(node));
  if (!short_.empty()) short_.erase(tree_.watch(node));
  if (beyond_limit_.empty()) return;
  watches_were_freed_ = true;
  beyond_limit_.erase(tree_.watch(node));
}

void Watcher::Impl::forget_all_unwatched() {
  uncovered_.clear();
  beyond_limit_.clear();
  unopened_.clear();
  watches_were_freed_ = room_is_due_ = false;
}

// --- The limits of watches and of descriptors ---

void Watcher::Impl::beyond_limit(NodeId parent, std::string_view name, bool old) {
  const int watch = tree_.watch(parent);
  expect_room();
  beyond_limit_.try_emplace(watch, name);
  if (old) late_arrivals_[watch].emplace(name);
  calm_ = false;
}

// The first one that is left out.
void Watcher::Impl::expect_room() {
  if (!beyond_limit_.empty() || !unopened_.empty()) return;
  next_try_ = std::max(next_try_, monotonic_now() + second);
  quiet_try_ = next_try_;
  quiet_pause_ = second;
}

// When nothing happens.
std::optional<std::chrono::nanoseconds> Watcher::Impl::time_to_try_room() const {
  if (beyond_limit_.empty() && unopened_.empty()) return std::nullopt;
  return std::chrono::nanoseconds(std::max<std::int64_t>(0, quiet_try_ - monotonic_now()));
}

// Nobody tells that there are watches again, by others or by a higher limit: while events come, it is tried
// once a second, else less and less often; and where watches of the tree itself were freed, at once. What is
// found then is not to be ahead of the queue.
void Watcher::Impl::look_for_room() {
  constexpr int longest_held = 100;  // reads: where the queue never ends
  const std::int64_t now = monotonic_now();
  if (watches_were_freed_ || (batch_events_ != 0 && now >= next_try_) || now >= quiet_try_)
    room_is_due_ = true;
  if (!room_is_due_ || !retired_.empty()) return;
  if (batch_events_ != 0 && ++room_held_ < longest_held) return;
  if (now < soonest_try_) {
    if (batch_events_ == 0) sys::pause_for(queueing_pause);
    return;
  }
  room_is_due_ = watches_were_freed_ = false;
  room_held_ = 0;
  using_room_ = true;
  use_room();
  using_room_ = false;
  open_again();
  // Large directories take long to list.
  const std::int64_t end = monotonic_now();
  soonest_try_ = end + 4 * (end - now);
  next_try_ = std::max(end + second, soonest_try_);
  quiet_pause_ = std::min(2 * quiet_pause_, longest_pause);
  quiet_try_ = std::max(end + quiet_pause_, soonest_try_);
}

// It is tried again as seldom as what is beyond the limit, for others than this program may have what is
// lacking.
void Watcher::Impl::leave_unopened(const Unsettled& unsettled) {
  expect_room();
  unopened_.push_back(unsettled);
  births_.leave_open(sys::nanoseconds(sys::now(CLOCK_REALTIME)));
  calm_ = false;
}

void Watcher::Impl::open_again() {
  for (Unsettled& unsettled : std::exchange(unopened_, {})) {
    unsettled.tries = tries_at_most - 1;
    unsettled_.push_back(std::move(unsettled));
  }
}

// Those above others come first, mostly.
void Watcher::Impl::use_room() {
  std::vector<int> watches;
  for (const auto& [watch, name] : beyond_limit_) watches.push_back(watch);
  std::ranges::sort(watches);
  for (const int watch : watches) {
    const NodeId parent = tree_.by_watch(watch);
    if (parent == no_node || untold_.contains(watch)) {  // it is going to be listed
      beyond_limit_.erase(watch);
    } else if (!is_room_in(parent) || beyond_limit_.contains(watch)) {
      return;
    }
  }
}

// Tries one directory that was left out; where that is watched now, the others in `parent` are, too, as long
// as watches last.
bool Watcher::Impl::is_room_in(NodeId parent) {
  const int above = tree_.watch(parent);
  int tried = -1;
  if (const sys::Fd place = open_confirmed(parent)) {
    constexpr unsigned here =
        backend::add_directory_only | backend::add_no_follow | backend::add_keep_old_events;
    tried = backend_->add(beyond_limit_[above].c_str(), scanner_.quiet_events(), here);
    if (tried == -ENOSPC) return false;
  }
  beyond_limit_.erase(above);
  if (!list_again(parent, ScanKind::again)) unsettled_.push_back({above, ScanKind::again, 0});
  end_stranger(tried);
  return true;
}

}  // namespace notify_core
