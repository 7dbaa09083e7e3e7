// SPDX-License-Identifier: GPL-2.0-or-later
// Directories that cannot be listed yet: those not found by their path while the queue is behind, and those
// that came back into the tree unheard, whose contents are news. And what else waits until the queue is
// empty.
#include <fcntl.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "sys/handle.hpp"
#include "sys/syscall.hpp"
#include "watch/foresight.hpp"
#include "watch/places.hpp"
#include "watch/watcher_impl.hpp"

namespace notify_core {

using watch::no_node;
using watch::NodeId;
using watch::ScanKind;

void Watcher::Impl::work_on_drained() {
  // Looking makes records of its own, which count for nothing.
  if (batch_events_ != 0 && !astray_.empty()) see_who_returned();
  if (ends_unheard_) end_operands();
  if (!denied_lately_.empty()) ask_for_rights();
  if (!uncovered_.empty()) watch_uncovered();
  if (!taken_before_.empty() || !taken_for_old_.empty()) {
    taken_before_ = std::exchange(taken_for_old_, {});
  }
  if (!recovery_.idle()) report_recovered();
  if (!unsettled_.empty()) {
    settle_again();
  } else if (in_doubt()) {
    settle_doubts();
  }
  if (unsettled_.empty() && !untold_.empty() && !births_wait()) untold_.clear();
  if (!births_.empty()) see_to_births();
  if (!retired_.empty()) retire_some();
  if (!beyond_limit_.empty() || !unopened_.empty()) look_for_room();
  calm_ = is_calm();
  // Some of that may have read on.
  backend_->visit_unread([this](const backend::Record&) { return !(unread_ = true); });
}

void Watcher::Impl::slipped_away(NodeId node) {
  missed_birth(tree_.parent(node));
  drop(node, End::unknown);
}

// What hid is told apart by its watch until nothing more is to be looked for: what came to a place and was
// gone from there comes to another one next, unless nothing more is queued.
void Watcher::Impl::see_to_births() {
  const bool all_opened = unsettled_.empty() && unopened_.empty();
  const bool all_out = births_.drained(sys::nanoseconds(sys::now(CLOCK_REALTIME)), all_opened);
  if (all_out && (late_arrivals_.empty() || batch_events_ == 0)) retired_.merge(births_.take_hidden());
}

// What was listed before the last read, and of which that read brought no word.
void Watcher::Impl::report_recovered() {
  constexpr std::int64_t second = 1'000'000'000;
  due_.clear();
  recovery_.drained(recovery_mark_, due_);
  report_found(due_);
  const std::int64_t now = sys::nanoseconds(sys::now(CLOCK_MONOTONIC));
  if (now - last_forgetting_ < second) return;
  recovery_.forget_old();
  last_forgetting_ = now;
}

// Who reads the events has seen it leave and not come: all that is in it is news. It is listed when the queue
// has come to its end, for until then the tree is behind what would be found.
void Watcher::Impl::list_newcomer(NodeId node) {
  const NodeId parent = tree_.parent(node);
  const std::string name(tree_.name(node));
  untold_.untell(tree_.watch(parent), name);
  if (!recovery_.has_reported(tree_.watch(parent), name)) found(parent, name, true);
  untold_.tell(tree_.watch(parent), name);
  all_below_is_untold(node);
  await_listing(node);
}

// One that was made in the tree has left its place before anybody could look at it, for none that is watched.
// What came from outside just before was not watched then: where one of that name went into it, this is it.
void Watcher::Impl::find_in_arrivals(const std::string& name, std::uint32_t cookie) {
  if (taken_for_old_.empty() && taken_before_.empty()) return;
  if (is_arrival_to_come(cookie)) return;
  std::vector<NodeId> found;
  for (const auto* const watches : {&taken_for_old_, &taken_before_}) {
    for (const int watch : *watches) {
      const NodeId node = tree_.by_watch(watch);
      if (node != no_node && tree_.name(node) == name && went_into_arrival(node)) found.push_back(node);
    }
  }
  if (found.size() != 1 || is_arrival_to_come(cookie)) return;
  const int watch = tree_.watch(found[0]);
  taken_for_old_.erase(watch);
  taken_before_.erase(watch);
  list_newcomer(found[0]);
}

bool Watcher::Impl::is_arrival_to_come(std::uint32_t cookie) {
  bool found = false;
  const auto look = [&] {
    backend_->visit_unread([&](const backend::Record& record) {
      found = (record.mask & mask::moved_to) && record.cookie == cookie;
      return !found;
    });
    return found;
  };
  return look() || (backend_->read_on() && look());
}

// Did this come into what came from outside after that was here? To rename a directory is to change it, and
// what it held all along was not renamed.
bool Watcher::Impl::went_into_arrival(NodeId node) {
  const auto was_taken_for_old = [&](NodeId one) {
    return taken_for_old_.contains(tree_.watch(one)) || taken_before_.contains(tree_.watch(one));
  };
  NodeId top = node;
  while (!tree_.is_root(top) && was_taken_for_old(tree_.parent(top))) top = tree_.parent(top);
  if (top == node || is_heard_of(tree_.parent(node))) return false;
  const std::int64_t came = times_of(top).changed;
  return came != 0 && times_of(node).changed >= came;
}

// Directories that the queue has yet to move or delete are reported with it: their events will be.
void Watcher::Impl::all_below_is_untold(NodeId top) {
  untold_.add(tree_.watch(top));
  for (NodeId node = tree_.first_child(top); node != no_node; node = tree_.next_sibling(node)) {
    if (outdated_.contains(tree_.watch(node))) continue;  // gone already, or its CREATE is to come
    const std::string name(tree_.name(node));
    if (tree_.child(top, name) == node) {
      found(top, name, true);
      untold_.tell(tree_.watch(top), name);
    }
    all_below_is_untold(node);
  }
}

// Something is going to be said of `node`, and what it stands in is taken for gone: that is there again.
void Watcher::Impl::announce_outdated(NodeId node) {
  for (; !tree_.is_root(node); node = tree_.parent(node)) {
    if (!outdated_.contains(tree_.watch(node))) continue;
    const NodeId parent = tree_.parent(node);
    const std::string name(tree_.name(node));
    if (!recovery_.has_reported(tree_.watch(parent), name)) found(parent, name, true);
    news_of(node);
  }
}

void Watcher::Impl::await_listing(NodeId node) {
  untold_.add_waiting(tree_.watch(node));
  unsettled_.push_back({tree_.watch(node), ScanKind::birth, 0});
}

bool Watcher::Impl::is_told(NodeId node) {
  return listing_untold_ && !untold_.contains(tree_.watch(node));
}

void Watcher::Impl::taken_for_old(NodeId node) {
  taken_for_old_.insert(tree_.watch(node));
  if (untold_.contains(tree_.watch(tree_.parent(node)))) untold_.add_waiting(tree_.watch(node));
}

// `top` was listed, but not what has left it meanwhile, of which the queue is going to tell.
void Watcher::Impl::list_rest_later(NodeId top) {
  untold_.for_each([&](int watch) {
    const NodeId node = tree_.by_watch(watch);
    if (node != no_node && tree_.is_below(node, top)) unsettled_.push_back({watch, ScanKind::birth, 0});
  });
}

// Lists directories again that could not be found by their path while the queue was behind.
void Watcher::Impl::settle_again() {
  constexpr int longest_held = 100;  // reads: where the queue never ends
  std::vector<Unsettled> again;
  again.swap(unsettled_);
  std::sort(again.begin(), again.end(), [](const Unsettled& a, const Unsettled& b) {
    return a.watch != b.watch ? a.watch < b.watch : a.kind > b.kind;
  });
  const Unsettled* last = nullptr;
  for (Unsettled& unsettled : again) {
    const NodeId node = tree_.by_watch(unsettled.watch);
    if (node == no_node || (last != nullptr && last->watch == unsettled.watch)) continue;
    const bool untold = untold_.contains(unsettled.watch);
    if (unsettled.kind != ScanKind::birth && untold) continue;  // it will be listed as a newcomer
    if (unsettled.kind == ScanKind::birth) {
      // Listed with the one above it, or going to be.
      if (!untold || tree_.is_root(node) || untold_.contains(tree_.watch(tree_.parent(node)))) continue;
      if (batch_events_ != 0 && unsettled.held++ < longest_held) {
        last = &unsettled;
        unsettled_.push_back(unsettled);
        continue;
      }
    }
    last = &unsettled;
    if (list_again(node, unsettled.kind)) {
      denied_.settled(unsettled.watch);
      continue;
    }
    // With the queue empty, the tree should be right, and rights do not come by waiting.
    if (batch_events_ == 0) unsettled.tries = place_error_ == -EACCES ? tries_at_most : unsettled.tries + 1;
    if (unsettled.tries < tries_at_most) {
      unsettled_.push_back(unsettled);
    } else {
      give_up(node, unsettled);
    }
  }
  // The kernel makes a rename visible a moment before it queues its events; a busy machine can stretch that
  // moment.
  if (!unsettled_.empty() && batch_events_ == 0) sys::pause_for(1'000'000);
  if (unsettled_.empty() && unopened_.empty()) shortage_said_ = false;
}

// What is new in it goes unwatched, until it is found elsewhere, comes back or may be looked into.
void Watcher::Impl::give_up(NodeId node, const Unsettled& unsettled) {
  const int error = place_error_;
  if (watch::out_of_descriptors(error)) {
    std::string path(tree_.path(node));
    if (!unsettled.born.empty()) path.append(unsettled.born).append("/");
    failed(sys::error(error, "open", path));
    return leave_unopened(unsettled);
  }
  if (unsettled.kind != ScanKind::birth) untold_.erase(unsettled.watch);
  if (watch::vanished(error) && is_astray(node)) {
    wait_for_return(node, unsettled.kind);
  } else if (watch::vanished(error)) {
    doubt(unsettled.watch, unsettled.kind);
  } else {
    const std::size_t before = unsettled_.size();
    const bool is_told = deny(node, unsettled.kind, unsettled.looks) && !unsettled.quiet;
    if (unsettled_.size() > before) unsettled_.back().born = unsettled.born;  // which it is about, still
    if (!is_told) return;
    std::string path(tree_.path(node));
    if (!unsettled.born.empty()) path.append(unsettled.born).append("/");
    failed(sys::error(error, "open", path));
  }
}

// What was told in newcomers is kept until they are listed.
bool Watcher::Impl::births_wait() const {
  const auto is_birth = [](const auto& one) { return one.second == ScanKind::birth; };
  if (denied_.waits_for_birth() || std::ranges::any_of(doubted_, is_birth)) return true;
  if (std::ranges::any_of(unopened_, [](const Unsettled& one) { return one.kind == ScanKind::birth; }))
    return true;
  return std::ranges::any_of(astray_,
                             [&](const auto& root) { return std::ranges::any_of(root.second, is_birth); });
}

// Its link count said so when it was watched, and says so now: to list it would be to make events.
bool Watcher::Impl::has_no_directories(NodeId node, const sys::Fd& place) const {
  constexpr std::uint32_t none = 2;
  sys::FileFacts facts;
  return tree_.is_unlisted(node) && sys::facts_at(place.get(), "", AT_EMPTY_PATH, facts) == 0 &&
         facts.links == none;
}

// False where it cannot be found by its path.
bool Watcher::Impl::list_again(NodeId node, ScanKind kind) {
  if (kind != ScanKind::birth && unrepaired_.contains(tree_.watch(node))) return repair_again(node);
  const sys::Fd place = open_confirmed(node);
  if (place && kind == ScanKind::arrival && has_no_directories(node, place)) return true;
  if (!place) return false;
  const int status = sys::open_at(place.get(), ".", O_RDONLY | O_DIRECTORY);
  sys::Fd directory(status);
  if (!directory) {
    place_error_ = status;
    return false;
  }
  backend_->enter(directory.get());
  if (scanner_.quiet_events() != kernel_events_)
    backend_->add(".", scanner_.quiet_events() | also_asked(node), backend::add_directory_only);
  listing_untold_ = kind == ScanKind::birth && untold_.contains(tree_.watch(node));
  scanner_.scan(std::move(directory), node, kind);
  if (std::exchange(listing_untold_, false)) list_rest_later(node);
  return true;
}

// What goes with `top`, or is that, but was seen elsewhere in the tree since. It went there unheard, or after
// `top` left the tree; where the queue does not tell where to, it is looked for there. True where that is
// `top` itself, and it was found.
bool Watcher::Impl::rescue_sighted(NodeId top) {
  std::vector<NodeId> elsewhere;
  sightings_.for_each([&](int watch, const watch::Sightings::Place& place) {
    const NodeId node = tree_.by_watch(watch);
    const NodeId parent = tree_.by_watch(place.parent);
    if (parent != no_node && tree_.is_below(node, top) && !tree_.is_below(parent, top))
      elsewhere.push_back(node);
  });
  const auto is_known = [&](int watch) {
    const NodeId parent = tree_.by_watch(watch);
    return parent != no_node && !tree_.is_below(parent, top);
  };
  for (const NodeId node : elsewhere) {
    const int watch = tree_.watch(node);
    if (put_where_seen(node)) {
      if (node == top) return true;
      continue;
    }
    std::vector<watch::Sightings::Place> seen = sightings_.all(watch);
    if (seen.empty()) continue;
    const watch::Sightings::Place last = seen.back();
    if (!last.told && is_heard_of(tree_.by_watch(last.parent))) continue;
    seen.push_back({tree_.watch(tree_.parent(node)), std::string(tree_.name(node))});
    if (watch::follow(watch::steps_of(unread_records(), watch), seen, is_known).told) continue;
    unsettled_.push_back({last.parent, ScanKind::again, 0});
  }
  return false;
}

}  // namespace notify_core
