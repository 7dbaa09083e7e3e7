// SPDX-License-Identifier: GPL-2.0-or-later
// Keeps the tree of watches true where directories move: within the tree, out of it, and into it. The story
// is told at the head of watcher.cpp.
#include <fcntl.h>

#include "sys/syscall.hpp"
#include "watch/watcher_impl.hpp"

namespace notify_core {

using backend::Record;
using watch::no_node;
using watch::NodeId;
using watch::ScanKind;

namespace {

constexpr int place_flags = O_PATH | O_DIRECTORY;

// Of a name in an open directory; of that itself where there is no name.
bool is_mount(const sys::Fd& directory, const char* name) {
  constexpr int flags = AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW;
  sys::FileFacts facts;
  return directory && sys::facts_at(directory.get(), name, flags, facts) == 0 && facts.mounted;
}

}  // namespace

// The queue will tell how it came there: whoever moves a watched directory makes a MOVE_SELF. Unless it has
// been there all along, and was taken for one that the queue has just now replaced: then it has replaced
// that.
void Watcher::Impl::sighted(NodeId node, NodeId parent, std::string_view name) {
  if (tree_.parent(node) == parent && tree_.name(node) == name) {
    if (const NodeId there = tree_.child(parent, name); there != no_node) tree_.set_replaced(there);
    return tree_.relink(node, parent, name);
  }
  sightings_.add(tree_.watch(node), {tree_.watch(parent), std::string(name)});
}

void Watcher::Impl::left(NodeId parent, const std::string& name, std::uint32_t cookie) {
  watch::Move move;
  move.cookie = cookie;
  move.from_parent = parent;
  move.from_name = name;
  move.from_excluded = was_left_out(parent, name);
  const NodeId there = tree_.child(parent, name);
  if (there != no_node) {
    move.watch = tree_.watch(there);
    // Two that change places are both here for a moment, and either may be meant.
    const bool alone = !tree_.was_replaced(parent, name) && !unwatched_.holds(tree_.watch(parent), name);
    // And a directory that is new itself may have had one that nobody knew of.
    move.certain = alone && known_since_before(there) && known_since_before(parent);
  }
  moves_.add_from(std::move(move));
}

// Nothing moves into itself: where that is what seems to happen, it was another one that left the place.
void Watcher::Impl::moved_into(NodeId parent, std::uint32_t cookie) {
  watch::Move* move = moves_.by_cookie(cookie);
  const NodeId node = move == nullptr || move->watch < 0 ? no_node : tree_.by_watch(move->watch);
  if (node == no_node || !tree_.is_below(parent, node)) return;
  outdated(node);
  move->watch = -1;
}

void Watcher::Impl::arrived(NodeId parent, const Record& record) {
  watch::Move* move = moves_.by_cookie(record.cookie);
  if (move != nullptr && move->watch >= 0) {  // MOVE_SELF comes next
    move->to_parent = parent;
    move->to_name = record.name;
    move->looked_at = false;
    // Not always at once: what another thread does in the directory may be queued before it.
    const NodeId node = move->certain ? tree_.by_watch(move->watch) : no_node;
    if (const NodeId there = tree_.child(parent, move->to_name); there != no_node) not_outdated(there);
    if (node != no_node && !leaves_out(parent, record.name)) put_at(node, parent, move->to_name);
    return;
  }
  // Moved within the tree but not watched before: born so lately that it could not be. Else it comes from
  // outside.
  const bool newborn = move != nullptr && !move->from_excluded;
  if (move != nullptr) moves_.take(move);
  born(parent, std::string(record.name), newborn ? ScanKind::birth : ScanKind::arrival);
}

void Watcher::Impl::self_moved(NodeId node) {
  if (tree_.is_root(node)) return;  // an operand keeps its name
  watch::Move* found = moves_.of(tree_.watch(node), tree_.parent(node), tree_.name(node));
  if (found == nullptr) {  // it left a place that was not watched then
    if (sightings_.contains(tree_.watch(node)) && !is_mounted_here(node)) put_at_sighting(node);
    newcomer_ = no_node;
    return;
  }
  const watch::Move move = moves_.take(found);
  if (move.to_parent != no_node && !leaves_out(move.to_parent, move.to_name)) {
    put_at(node, move.to_parent, move.to_name);
    sightings_.reached(tree_.watch(node), {tree_.watch(move.to_parent), move.to_name});
  } else if (move.to_parent != no_node ||
             (!put_at_mount(node) && (is_expected(node) || !put_at_sighting(node)))) {
    departing_ = node;
  }
}

// A directory that is mounted a second time in the tree has two places. Out of the one where it is mounted
// nobody can move it: it was the other one that moved.
bool Watcher::Impl::is_mounted_here(NodeId node) {
  if (!is_mount(sys::Fd(watch::open_node(tree_, node, place_flags)), "") || !open_confirmed(node))
    return false;
  sightings_.erase(tree_.watch(node));
  return true;
}

// It left the tree, and is in it all the same where it was seen, as it is mounted there.
bool Watcher::Impl::put_at_mount(NodeId node) {
  const watch::Sightings::Place* first = sightings_.first(tree_.watch(node));
  if (first == nullptr) return false;
  const watch::Sightings::Place seen = *first;
  const NodeId parent = tree_.by_watch(seen.parent);
  if (parent == no_node || tree_.is_below(parent, node) || leaves_out(parent, seen.name)) return false;
  const sys::Fd above(watch::open_node(tree_, parent, place_flags));
  if (!is_mount(above, seen.name.c_str()) || backend_->enter(above.get()) < 0) return false;
  constexpr unsigned here =
      backend::add_directory_only | backend::add_no_follow | backend::add_keep_old_events;
  const int watch = backend_->add(seen.name.c_str(), kernel_events_, here);
  if (watch != tree_.watch(node)) {
    if (watch >= 0 && tree_.by_watch(watch) == no_node) backend_->remove(watch);
    return false;
  }
  put_at(node, parent, seen.name);
  sightings_.erase(watch);
  return true;
}

// Was it seen in a place of which the queue will tell how it came there? One that was watched all the time:
// there, a move has its MOVED_TO.
bool Watcher::Impl::is_expected(NodeId node) const {
  const watch::Sightings::Place* seen = sightings_.first(tree_.watch(node));
  const NodeId parent = seen == nullptr ? no_node : tree_.by_watch(seen->parent);
  return parent != no_node && known_since_before(parent);
}

// It left a watched directory for one that was not watched yet, but is by now.
bool Watcher::Impl::put_at_sighting(NodeId node) {
  const watch::Sightings::Place* seen = sightings_.first(tree_.watch(node));
  if (seen == nullptr) return false;
  const watch::Sightings::Place place = *seen;
  sightings_.reached(tree_.watch(node), place);
  const NodeId parent = tree_.by_watch(place.parent);
  if (parent == no_node || tree_.is_below(parent, node) || leaves_out(parent, place.name)) return false;
  const NodeId left = tree_.parent(node);
  const std::string name(tree_.name(node));
  put_at(node, parent, place.name);
  newcomer_ = node;
  if (left != no_node && tree_.child(left, name) == no_node) born(left, name, ScanKind::birth);
  return true;
}

void Watcher::Impl::put_at(NodeId node, NodeId parent, const std::string& name) {
  if (tree_.is_below(parent, node)) return;  // the tree lags behind; a later event will tell
  const NodeId there = tree_.child(parent, name);
  if (there == node) return;
  if (there != no_node) tree_.set_replaced(there);
  tree_.relink(node, parent, name);
  // It will not be listed with what it left.
  if (untold_.contains(tree_.watch(node)) && !untold_.contains(tree_.watch(parent))) await_listing(node);
}

// The queue was read to its end, and no MOVE_SELF has come: it will, in a moment, unless the directory is
// watched only since it has its new name.
void Watcher::Impl::confirm_moves() {
  while (watch::Move* move = moves_.unconfirmed()) {
    move->looked_at = true;
    settle_move(watch::Move(*move));
  }
}

// Something new stands where they left: their MOVE_SELF would have come before.
void Watcher::Impl::settle_moves_from(NodeId parent, const std::string& name) {
  watch::Move move;
  while (!moves_.empty() && moves_.take_from(parent, name, move)) {
    outdated(tree_.child(parent, name));
    settle_move(move);
  }
}

// The queue says that the directory at this place left or was deleted, and it was not `node`: that one was
// made there later, and its own CREATE is still to come.
void Watcher::Impl::outdated(NodeId node) {
  if (node != no_node) outdated_.insert(tree_.watch(node));
}

void Watcher::Impl::settle_move(const watch::Move& move) {
  if (move.to_parent != no_node) born(move.to_parent, move.to_name, ScanKind::birth);
}

}  // namespace notify_core
