// SPDX-License-Identifier: GPL-2.0-or-later
// Moves of which the queue says too little.
//
// The kernel looks a name up before it attaches the watch. What is moved in between has its watch, and there
// is no MOVE_SELF of that rename: it would be taken for one that stayed. Where the queue says that a place
// was left, and not by whom, what came to the other place is looked at. And whatever is in doubt when all has
// been read is looked for where it should be, and where it was seen.
#include <algorithm>
#include <cerrno>
#include <utility>
#include <vector>

#include "sys/syscall.hpp"
#include "watch/places.hpp"
#include "watch/watcher_impl.hpp"

namespace notify_core {

using backend::Record;
using watch::no_node;
using watch::NodeId;
using watch::ScanKind;

// The queue said that a place was left, and not by whom: was it the one that is at the other place now?
bool Watcher::Impl::has_come_unheard(int watch, const watch::Sightings::Place& to) {
  const NodeId node = tree_.by_watch(watch);
  if (node == no_node || !outdated_.contains(watch) || known_since_before(node)) return false;
  if (is_far_behind()) return false;
  return !is_told_of(watch) && stands_at(to, watch).value_or(false) && !is_told_of(watch);
}

// In a storm of renames the buffer fills, and what was queued last cannot be seen. What is in doubt is looked
// at after it.
bool Watcher::Impl::is_far_behind() {
  constexpr int many = 64;  // records: less than half of the buffer
  int unread = 0;
  backend_->visit_unread([&](const Record&) { return ++unread < many; });
  return unread == many;
}

// Will there be a MOVE_SELF, or its end? Also true where not all could be read.
bool Watcher::Impl::is_told_of(int watch) {
  read_to_the_end();
  if (is_far_behind()) return true;
  bool told = false;
  backend_->visit_unread([&](const Record& record) {
    told = record.watch == watch && (record.mask & (mask::move_self | mask::ignored)) != 0;
    return !told;
  });
  return told;
}

// Is the queue going to say more of what came to this place, or to one above it? The tree is not to be ahead
// of that.
bool Watcher::Impl::is_place_told_of(const watch::Sightings::Place& place) {
  bool told = false;
  backend_->visit_unread([&](const Record& record) {
    told = record.watch == place.parent && record.name == place.name;
    return !told;
  });
  const NodeId parent = tree_.by_watch(place.parent);
  return told || (parent != no_node && is_still_to_come(parent));
}

// What its MOVE_SELF would have led to. And what was listed as its contents may be those of what came to its
// place just then.
void Watcher::Impl::conclude_unheard(NodeId node) {
  moving_ = backend::unwatched;
  unsettled_.push_back({tree_.watch(node), ScanKind::arrival, 0});
  self_moved(node);
  settle_moved(node);
}

// Does this watch come for what stands there? Empty: it cannot be looked at, and place_error_ says why.
std::optional<bool> Watcher::Impl::stands_at(const watch::Sightings::Place& place, int watch) {
  const NodeId parent = tree_.by_watch(place.parent);
  place_error_ = -ENOENT;
  const sys::Fd above = parent == no_node ? sys::Fd() : open_confirmed(parent);
  if (!above || backend_->enter(above.get()) < 0) return std::nullopt;
  constexpr unsigned here =
      backend::add_directory_only | backend::add_no_follow | backend::add_keep_old_events;
  const int found = backend_->add(place.name.c_str(), kernel_events_, here);
  if (found < 0 && found != -ENOSPC && !watch::vanished(found)) {  // that: it is another one
    place_error_ = found;
    return std::nullopt;
  }
  end_stranger(found);
  return found == watch;
}

// It was moved unheard before, so nobody knew that this was the one.
bool Watcher::Impl::put_where_told_last(NodeId node) {
  const std::vector<watch::Sightings::Place> seen = sightings_.all(tree_.watch(node));
  const NodeId parent = tree_.by_watch(last_arrival_.parent);
  if (parent == no_node || std::ranges::find(seen, last_arrival_) == seen.end()) return false;
  outdated_.erase(tree_.watch(node));
  put_at(node, parent, last_arrival_.name);
  sightings_.reached(tree_.watch(node), last_arrival_);
  return true;
}

bool Watcher::Impl::in_doubt() const {
  return !outdated_.empty() || !doubted_.empty() || sighted_lately_;
}

// All has been read, and something should have been said of what is in doubt.
void Watcher::Impl::settle_doubts() {
  constexpr int patience = 3;  // reads that emptied the queue
  constexpr int most_reads = 20;
  if (batch_events_ == 0) sys::pause_for(queueing_pause);
  if (++doubtful_reads_ < patience) return;
  const bool last_chance = doubtful_reads_ >= most_reads;
  bool left = false;
  for (const int watch : doubtful_watches()) {
    const NodeId node = tree_.by_watch(watch);
    if (node != no_node && !settle_doubt(node) && !last_chance) {
      left = true;
    } else {
      doubted_.erase(watch);
      outdated_.erase(watch);
    }
  }
  sighted_lately_ = left;
  if (!in_doubt()) doubtful_reads_ = 0;
}

// Those above others come first, mostly.
std::vector<int> Watcher::Impl::doubtful_watches() const {
  std::vector<int> watches(outdated_.begin(), outdated_.end());
  for (const auto& [watch, kind] : doubted_) watches.push_back(watch);
  sightings_.for_each([&](int watch, const auto&) { watches.push_back(watch); });
  std::ranges::sort(watches);
  watches.erase(std::unique(watches.begin(), watches.end()), watches.end());
  return watches;
}

// False where it cannot be said so far.
bool Watcher::Impl::settle_doubt(NodeId node) {
  if (tree_.is_root(node)) return true;
  const int watch = tree_.watch(node);
  const NodeId parent = tree_.parent(node);
  const std::string name(tree_.name(node));
  const std::optional<bool> there = stands_at({tree_.watch(parent), name}, watch);
  if (!there && !watch::vanished(place_error_)) {
    const auto kept = doubted_.find(watch);
    if (kept != doubted_.end()) give_up(node, {watch, kept->second, 0});
    return true;
  }
  if (there == true) {
    if (outdated_.contains(watch)) announce_outdated(node);
    if (doubted_.contains(watch)) list_doubted(node);
    return true;
  }
  read_on_or_pause();
  if (is_told_of(watch)) return false;
  if (put_where_seen(node)) return true;
  if (!there && (tree_.is_root(parent) || is_astray(node))) {
    const auto kept = doubted_.find(watch);
    wait_for_return(node, kept == doubted_.end() ? ScanKind::arrival : kept->second);
    return true;
  }
  if (!there) {
    doubt(tree_.watch(parent));
    return false;
  }
  drop(node, End::moved_out);
  return true;
}

// If it is there, and the last place counts most.
bool Watcher::Impl::put_where_seen(NodeId node) {
  const int watch = tree_.watch(node);
  std::vector<watch::Sightings::Place> seen = sightings_.all(watch);
  std::ranges::reverse(seen);
  const auto place =
      std::ranges::find_if(seen, [&](const auto& at) { return stands_at(at, watch).value_or(false); });
  if (place == seen.end()) return false;
  read_on_or_pause();
  if (is_told_of(watch) || is_place_told_of(*place) || !put_as_newcomer(node, *place)) return false;
  outdated_.erase(watch);
  if (!place->told) return settle_moved(node);
  newcomer_ = no_node;
  list_doubted(node);
  return true;
}

// It may not be where it should be. `kind`: how it is to be listed once it is found.
void Watcher::Impl::doubt(int watch, ScanKind kind) {
  ScanKind& kept = doubted_.try_emplace(watch, kind).first->second;
  kept = std::max(kept, kind);
}

// What was looked at when it was watched may have been another one, in its place just then.
void Watcher::Impl::list_doubted(NodeId node) {
  const int watch = tree_.watch(node);
  const auto doubted = doubted_.extract(watch);
  const ScanKind kind = doubted ? doubted.mapped() : ScanKind::arrival;
  if (kind == ScanKind::birth) return await_listing(node);
  unsettled_.push_back({watch, kind, 0});
}

// --- Operands that have moved, themselves or with something above them ---

NodeId Watcher::Impl::root_of(NodeId node) const {
  while (!tree_.is_root(node)) node = tree_.parent(node);
  return node;
}

bool Watcher::Impl::is_astray(NodeId node) {
  return !open_confirmed(root_of(node));
}

// Until what it was watched under is found under its name again, nothing new can be watched in it.
void Watcher::Impl::wait_for_return(NodeId node, ScanKind kind) {
  if (add_astray(node, kind)) notice(Notice::Kind::astray, tree_.path(root_of(node)));
}

// True where it is the first one of its operand.
bool Watcher::Impl::add_astray(NodeId node, ScanKind kind) {
  const auto [root, is_new] = astray_.try_emplace(tree_.watch(root_of(node)));
  ScanKind& kept = root->second.try_emplace(tree_.watch(node), kind).first->second;
  kept = std::max(kept, kind);
  return is_new;
}

void Watcher::Impl::forget_astray(NodeId node) {
  const auto root = astray_.find(tree_.watch(root_of(node)));
  if (root == astray_.end()) return;
  root->second.erase(tree_.watch(node));
  if (root->second.empty()) astray_.erase(root);
}

// Each look costs a call, and there may be thousands of operands below what was moved: those in which
// something happened are looked for, and of the others a few at a time.
void Watcher::Impl::see_who_returned() {
  constexpr int most_looks = 16;
  std::unordered_set<int> roots = std::exchange(astray_heard_, {});
  auto next = astray_.upper_bound(last_looked_for_);
  for (int looks = 0; looks < most_looks && looks < static_cast<int>(astray_.size()); ++looks, ++next) {
    if (next == astray_.end()) next = astray_.begin();
    roots.insert(last_looked_for_ = next->first);
  }
  for (const int root : roots) {
    if (!astray_.contains(root)) continue;
    const NodeId node = tree_.by_watch(root);
    if (node == no_node || !is_astray(node)) has_returned(root);
  }
}

void Watcher::Impl::has_returned(int root) {
  const auto waiting = astray_.extract(root);
  for (const auto& [watch, kind] : waiting.mapped()) {
    if (watch == root) {
      unsettled_.push_back({watch, kind, 0});
    } else {
      doubt(watch, kind);
    }
  }
}

// Counts it and all below as seen.
void Watcher::Impl::sweep_all_below(NodeId top) {
  for (NodeId node = top; node != no_node; node = tree_.next_below(node, top)) tree_.set_swept(node);
}

}  // namespace notify_core
