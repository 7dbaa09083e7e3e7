// SPDX-License-Identifier: GPL-2.0-or-later
// Did what came to some place come from outside, or was it made in the tree so lately that nobody saw that?
// The queue may be silent: what leaves a directory before that is watched has no MOVED_FROM.
#include "watch/births.hpp"

#include <fcntl.h>

#include <algorithm>
#include <string>

#include "sys/handle.hpp"
#include "sys/syscall.hpp"
#include "watch/watcher_impl.hpp"

namespace notify_core {

using watch::no_node;
using watch::NodeId;

namespace {

constexpr std::int64_t moment = 250'000'000;  // nanoseconds

std::int64_t time_now() {
  return sys::nanoseconds(sys::now(CLOCK_REALTIME));
}

}  // namespace

void Watcher::Impl::listed(NodeId node, int directory) {
  untold_.erase(tree_.watch(node));
  add_birth(sys::times_at(directory, "", AT_EMPTY_PATH));
}

void Watcher::Impl::add_birth(const sys::FileTimes& times) {
  if (times.birth == 0) return births_.add();
  births_.add(times.inode, times.birth, time_now());
}

void Watcher::Impl::hear_of_birth(const sys::FileTimes& times) {
  last_birth_ = times.birth;
  births_.hear(times.birth, time_now());
}

// Watched already, as one that was there before, and maybe more below it.
void Watcher::Impl::have_been_born(NodeId top) {
  constexpr int most = 64;
  int count = 0;
  for (NodeId node = top; node != no_node && ++count <= most; node = tree_.next_below(node, top))
    add_birth(times_of(node));
}

// A directory that was made in `parent` is gone from there, deleted or moved on. It was made after those
// whose turn it was earlier. Where that is long ago, it is taken to have been made a moment ago: on a busy
// machine it can be some time before a program that slept has its turn.
void Watcher::Impl::missed_birth(NodeId parent) {
  constexpr std::int64_t in_a_storm = 1'000'000'000;  // nanoseconds
  const std::int64_t now = time_now();
  std::int64_t since = last_birth_ <= now ? last_birth_ : 0;  // the clock was set back
  if (now - since > in_a_storm) {
    const std::int64_t modified = times_of(parent).modified;
    since = std::max(since, (modified == 0 ? now : modified) - moment);
  }
  births_.miss(since, now);
}

// The queue tells of a birth, and then that what has that name left: who stands there now is another one,
// which was made later. (Or who had the name before has left, which is no harm.)
bool Watcher::Impl::is_to_leave(NodeId parent, std::string_view name) {
  if (departures_.begin(backend_->reads())) {
    backend_->visit_unread([this](const backend::Record& record) {
      constexpr EventMask leaves = mask::moved_from | mask::remove;
      const bool directory = (record.mask & mask::is_directory) != 0;
      if (directory && (record.mask & leaves) != 0) departures_.add(record.watch, record.name);
      return true;
    });
    departures_.end();
  }
  return departures_.contains(tree_.watch(parent), name);
}

// Something came to this place, and where from is not told. It may have been made in a directory that was
// made just before, and have left that before it was watched.
bool Watcher::Impl::was_born_unseen(NodeId parent, const std::string& name) {
  if (births_.empty()) return false;
  const sys::Fd above = open_confirmed(parent);
  if (!above) return false;
  const bool is_news =
      may_be_news(above.get(), name) ||
      (births_.any_missed() && !is_to_leave(parent, name) && went_at_once(above.get(), name));
  return is_news || was_hidden(above.get(), name);
}

// Who reads late does not know when the one was made that it missed; but how long before it was renamed this
// one was made, if nothing has been done in it since.
bool Watcher::Impl::went_at_once(int directory, const std::string& name) {
  const sys::FileTimes times = sys::times_at(directory, name.c_str(), AT_SYMLINK_NOFOLLOW);
  return times.birth != 0 && times.changed - times.birth <= moment;
}

// Or it was watched, and left for such a directory: nothing was said of what was done in it there, and who
// reads the events has seen it go.
bool Watcher::Impl::was_hidden(int directory, const std::string& name) {
  if (!births_.anything_hides() || backend_->enter(directory) < 0) return false;
  constexpr unsigned here =
      backend::add_directory_only | backend::add_no_follow | backend::add_keep_old_events;
  const int watch = backend_->add(name.c_str(), kernel_events_, here);
  end_stranger(watch);
  return watch >= 0 && births_.hidden(watch);
}

bool Watcher::Impl::may_be_news(int directory, const std::string& name) const {
  const sys::FileTimes times = sys::times_at(directory, name.c_str(), AT_SYMLINK_NOFOLLOW);
  return times.birth != 0 && births_.may_hide(times.inode, times.birth);
}

// Asked once: what has that name later is another one.
bool Watcher::Impl::came_late(NodeId parent, std::string_view name) {
  const auto names = late_arrivals_.find(tree_.watch(parent));
  if (names == late_arrivals_.end() || names->second.erase(std::string(name)) == 0) return false;
  if (names->second.empty()) late_arrivals_.erase(names);
  return true;
}

bool Watcher::Impl::is_old(NodeId parent, std::string_view name, int directory) {
  return came_late(parent, name) && !ended_hidden_ && !may_be_news(directory, std::string(name));
}

// Asked of what left this place unwatched. It may have come there so lately that it could not be watched,
// or what was watched in its stead is what came there after it.
bool Watcher::Impl::came_from_outside(NodeId parent, const std::string& name) {
  if (came_late(parent, name)) return true;
  const NodeId there = tree_.child(parent, name);
  if (there == no_node) return false;
  return taken_for_old_.contains(tree_.watch(there)) || taken_before_.contains(tree_.watch(there));
}

sys::FileTimes Watcher::Impl::times_of(NodeId node) {
  const sys::Fd place = open_confirmed(node);
  return place ? sys::times_at(place.get(), "", AT_EMPTY_PATH) : sys::FileTimes();
}

}  // namespace notify_core
