// SPDX-License-Identifier: GPL-2.0-or-later
// Keeps the tree of watches true where directories move: within the tree, out of it, and into it. The story
// is told at the head of watcher.cpp.
#include <fcntl.h>

#include "sys/syscall.hpp"
#include "watch/foresight.hpp"
#include "watch/places.hpp"
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
// that, and what is in it is news.
void Watcher::Impl::sighted(NodeId node, NodeId parent, std::string_view name, bool told) {
  if (tree_.parent(node) == parent && tree_.name(node) == name) {
    if (const NodeId there = tree_.child(parent, name); there != no_node) tree_.set_replaced(there);
    tree_.relink(node, parent, name);
    return news_of(node);
  }
  sighted_lately_ = true;
  calm_ = false;
  sightings_.add(tree_.watch(node), {tree_.watch(parent), std::string(name), told});
}

// What is still to come of what was read.
watch::Unread Watcher::Impl::unread_records() {
  return [this](const std::function<bool(const Record&)>& visit) { backend_->visit_unread(visit); };
}

// Reads all that has been queued so far.
void Watcher::Impl::read_to_the_end() {
  constexpr int most_reads = 16;
  for (int reads = 0; reads < most_reads && backend_->read_on(); ++reads) continue;
}

// Reads what has been queued meanwhile. The kernel makes a rename visible a moment before it queues its
// events, and these one by one; a busy machine can stretch that moment.
bool Watcher::Impl::read_on_or_pause() {
  if (backend_->read_on()) return true;
  sys::pause_for(queueing_pause);
  return backend_->read_on();
}

// The watch of what left this place, as the record of that says or those that follow it; negative: it was not
// watched then, and what is known to stand there came later.
int Watcher::Impl::who_left(NodeId parent, const std::string& name, const Record& record) {
  const NodeId there = tree_.child(parent, name);
  if (there == no_node && tree_.replaced_child(parent, name) == no_node) return backend::unwatched;
  const auto stands_there = [&](int watch) {
    const NodeId node = tree_.by_watch(watch);
    if (node == no_node || away_.contains(watch)) return false;
    return tree_.parent(node) == parent && tree_.name(node) == name;
  };
  if (record.target != -1) return stands_there(record.target) ? record.target : backend::unwatched;
  if (options_.backend != Backend::inotify) return there == no_node ? -1 : tree_.watch(there);
  const int from = record.watch;
  const std::uint32_t cookie = record.cookie;
  constexpr int most_tries = 10;
  for (int tries = 0; tries < most_tries;) {
    const std::optional<int> moved = watch::who_moved(unread_records(), from, cookie, stands_there);
    if (moved) return *moved;
    if (!read_on_or_pause()) ++tries;
  }
  return backend::unwatched;
}

void Watcher::Impl::left(NodeId parent, const std::string& name, const Record& record) {
  watch::Move move;
  last_arrival_ = {};
  move.cookie = record.cookie;
  move.watch = who_left(parent, name, record);
  move.from = {record.watch, name};
  NodeId there = tree_.replaced_child(parent, name);
  if (there == no_node) there = tree_.child(parent, name);
  move.is_old = was_left_out(parent, name) || (move.watch < 0 && came_from_outside(parent, name));
  // Of two that change places, the first is here already.
  if (move.watch < 0 && there != no_node && !tree_.has_arrived(there)) {
    move.suspect = tree_.watch(there);
    outdated(there);
  }
  if (move.watch < 0 && move.suspect < 0 && !move.is_old) find_in_arrivals(name, move.cookie);
  moving_ = options_.backend == Backend::inotify ? move.watch : backend::unwatched;
  moves_.add_from(std::move(move));
}

// The kernel lets go of a directory it has renamed before it queues that, so what is done in it at once may
// come between the rename's records. It is said of the new place, which is given first. False: there is none,
// and what happens in it is not told.
bool Watcher::Impl::follow_ahead(NodeId node, const Record& record) {
  const watch::Move* move = moves_.of(moving_);
  const NodeId moved = tree_.by_watch(moving_);
  const auto ends_it = [&](const Record& r) {
    return (r.mask & mask::moved_to) ? r.cookie == move->cookie
                                     : (r.mask & mask::move_self) && r.watch == moving_;
  };
  if (move == nullptr || moved == no_node || ends_it(record)) {
    moving_ = backend::unwatched;
    return true;
  }
  if (!tree_.is_below(node, moved)) return true;
  Record to;
  std::string name;
  backend_->visit_unread([&](const Record& ahead) {
    if (!ends_it(ahead)) return true;
    to = ahead;
    name = ahead.name;
    return false;
  });
  const NodeId parent = (to.mask & mask::moved_to) ? tree_.by_watch(to.watch) : no_node;
  if (parent == no_node) return false;
  to.name = name;
  moving_ = backend::unwatched;
  handle_in_tree(parent, to);
  told_ahead_ = to.cookie;
  return true;
}

void Watcher::Impl::arrived(NodeId parent, const Record& record) {
  watch::Move* move = moves_.by_cookie(record.cookie);
  const std::string name(record.name);
  last_arrival_ = {record.watch, name};
  if (move != nullptr && move->comes_back && !has_come_back(*move, parent, name)) move = nullptr;
  if (move != nullptr && !move->comes_back) complete_exchange(move->from, {record.watch, name});
  if (move != nullptr && move->watch < 0 && has_come_unheard(move->suspect, {record.watch, name})) {
    move->watch = move->suspect;
    move->unheard = true;
    outdated_.erase(move->watch);
  }
  const NodeId node = move == nullptr || move->watch < 0 ? no_node : tree_.by_watch(move->watch);
  if (node != no_node) {  // MOVE_SELF comes next
    move->to_parent = parent;
    move->to_name = name;
    if (const NodeId there = tree_.child(parent, name); there != no_node) not_outdated(there);
    if (!leaves_out(parent, name)) {
      put_at(node, parent, name);
      if (!move->unheard) tree_.set_arrived(node);
    }
    if (move->unheard) conclude_unheard(node);
    return;
  }
  // Moved within the tree but not watched before: it was born so lately that it could not be, or came from
  // outside as lately. Else it comes from outside.
  const bool newborn = (move != nullptr && !move->is_old) || was_born_unseen(parent, name);
  if (move != nullptr) moves_.take(move);
  born(parent, name, newborn ? ScanKind::birth : ScanKind::arrival);
}

// Two that change places are told as two renames, one after the other, between which both are in one place.
void Watcher::Impl::complete_exchange(const watch::Sightings::Place& from, watch::Sightings::Place to) {
  const bool completed = last_from_ == to && last_to_ == from;
  last_from_ = from;
  last_to_ = std::move(to);
  const NodeId parent = completed ? tree_.by_watch(from.parent) : no_node;
  const NodeId first = parent == no_node ? no_node : tree_.child(parent, from.name);
  if (first != no_node) not_outdated(first);
}

// It was watched as one that was made in this place, of which the queue says only now that something came
// there from outside. If it says next that something left, and not that it was this one, these two have
// changed places: it was the other one that was made.
void Watcher::Impl::came_for_another(NodeId node) {
  const int above = tree_.watch(tree_.parent(node));
  const auto is_left_next = [&] {
    bool left = false, itself = false;
    backend_->visit_unread([&](const Record& record) {
      if (left) {  // the rename ends with the MOVE_SELF, if who left is watched
        itself = record.watch == tree_.watch(node) && (record.mask & mask::move_self) != 0;
        return !itself && (record.mask & mask::moved_from) == 0;
      }
      if (record.watch != above || record.name != tree_.name(node)) return true;
      left = (record.mask & mask::moved_from) != 0;
      return left;
    });
    return left && !itself;
  };
  if (!is_left_next() && !(backend_->read_on() && is_left_next())) return;
  const sys::FileTimes times = times_of(node);
  births_.forget(times.inode, times.birth);
  tree_.set_arrived(node);
  taken_for_old_.merge(recovery_.forget(node));
  taken_for_old_.insert(tree_.watch(node));
}

void Watcher::Impl::self_moved(NodeId node) {
  if (tree_.is_root(node)) return;  // an operand keeps its name
  away_.erase(tree_.watch(node));   // whatever comes of it, this was the rename that was waited for
  watch::Move* found = moves_.of(tree_.watch(node));
  if (found == nullptr) {  // it left a place that was not watched then
    if (sightings_.contains(tree_.watch(node)) && !is_mounted_here(node) && !put_where_told_last(node))
      put_where_it_went(node);
    newcomer_ = no_node;
    return;
  }
  const watch::Move move = moves_.take(found);
  if (move.to_parent == no_node) {
    if (put_where_told_last(node) || put_at_mount(node) || put_where_it_went(node) || comes_back(node))
      return;
    departing_ = node;
  } else if (leaves_out(move.to_parent, move.to_name)) {
    departing_ = node;
  } else {
    sightings_.reached(tree_.watch(node), {tree_.watch(move.to_parent), move.to_name});
  }
}

// Who leaves the tree and is back before anybody could notice is as good as renamed: its watches are those of
// before, and so is all that the queue has said and will say of them. What happened to its files meanwhile
// was out of the tree, and is not told, nor is what was found in it; where something happened to its
// directories, it is watched anew.
bool Watcher::Impl::comes_back(NodeId node) {
  if (options_.backend != Backend::inotify || births_.lately()) return false;
  const auto is_inside = [&](int watch) {
    const NodeId told = tree_.by_watch(watch);
    return told != no_node && tree_.is_below(told, node);
  };
  read_to_the_end();
  watch::Move move;
  move.watch = tree_.watch(node);
  move.cookie = watch::comes_back_by(unread_records(), move.watch, is_inside);
  if (move.cookie == 0 && read_on_or_pause()) {
    move.cookie = watch::comes_back_by(unread_records(), move.watch, is_inside);
  }
  if (move.cookie == 0) return false;
  move.comes_back = true;
  moves_.add_from(std::move(move));
  taken_for_old_.merge(recovery_.forget(node));
  tree_.set_placeless(node);
  away_.insert(tree_.watch(node));
  return true;
}

bool Watcher::Impl::is_away(NodeId node) const {
  for (; node != no_node; node = tree_.parent(node)) {
    if (away_.contains(tree_.watch(node))) return true;
  }
  return false;
}

// Is it the one that was expected? Where it cannot be seen there, it is dropped.
bool Watcher::Impl::has_come_back(const watch::Move& move, NodeId parent, const std::string& name) {
  const NodeId node = tree_.by_watch(move.watch);
  away_.erase(move.watch);
  if (node != no_node && stands_at({tree_.watch(parent), name}, move.watch).value_or(false)) return true;
  moves_.take(&move);
  if (node != no_node) drop(node, End::moved_out);
  return false;
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
  for (const watch::Sightings::Place& seen : sightings_.all(tree_.watch(node))) {
    if (!is_mounted_at(node, seen)) continue;
    put_at(node, tree_.by_watch(seen.parent), seen.name);
    sightings_.erase(tree_.watch(node));
    return true;
  }
  return false;
}

bool Watcher::Impl::is_mounted_at(NodeId node, const watch::Sightings::Place& place) {
  const NodeId parent = tree_.by_watch(place.parent);
  if (parent == no_node || tree_.is_below(parent, node) || leaves_out(parent, place.name)) return false;
  const sys::Fd above(watch::open_node(tree_, parent, place_flags));
  if (!is_mount(above, place.name.c_str()) || backend_->enter(above.get()) < 0) return false;
  constexpr unsigned here =
      backend::add_directory_only | backend::add_no_follow | backend::add_keep_old_events;
  const int watch = backend_->add(place.name.c_str(), kernel_events_, here);
  end_stranger(watch);
  return watch == tree_.watch(node);
}

// Where it was seen, but for directories that were watched all the time: there, a move has its MOVED_TO.
std::vector<watch::Sightings::Place> Watcher::Impl::untold_places(int watch) const {
  std::vector<watch::Sightings::Place> places = sightings_.all(watch);
  std::erase_if(places, [&](const watch::Sightings::Place& place) {
    const NodeId parent = tree_.by_watch(place.parent);
    return parent == no_node || is_heard_of(parent);
  });
  return places;
}

// No place was told. But it may have been seen in one, and the queue tell what it did next: where it left for
// that, or nothing, and then it is there. False: it is nowhere in the tree.
bool Watcher::Impl::put_where_it_went(NodeId node) {
  const int watch = tree_.watch(node);
  const std::vector<watch::Sightings::Place> seen = untold_places(watch);
  if (seen.empty()) return false;
  read_to_the_end();
  std::vector<watch::Step> steps = watch::steps_of(unread_records(), watch);
  if (steps.empty() && read_on_or_pause()) steps = watch::steps_of(unread_records(), watch);
  const auto is_known = [this](int parent) { return tree_.by_watch(parent) != no_node; };
  const watch::Course course = watch::follow(steps, seen, is_known);
  const watch::Sightings::Place* const went = steps.empty() ? &seen.back() : course.start;
  if (went != nullptr && !is_still_to_come(tree_.by_watch(went->parent))) return put_as_newcomer(node, *went);
  if (!course.told) unsettled_.push_back({seen.back().parent, ScanKind::again, 0});
  return false;
}

// The node, or one above it, stands where the queue has yet to say that it came.
bool Watcher::Impl::is_still_to_come(NodeId node) {
  bool found = false;
  backend_->visit_unread([&](const Record& record) {
    const bool comes = (record.mask & (mask::create | mask::moved_to)) && (record.mask & mask::is_directory);
    for (NodeId at = node; comes && !found && !tree_.is_root(at); at = tree_.parent(at)) {
      found = record.watch == tree_.watch(tree_.parent(at)) && record.name == tree_.name(at);
    }
    return !found;
  });
  return found;
}

bool Watcher::Impl::put_as_newcomer(NodeId node, const watch::Sightings::Place place) {
  sightings_.reached(tree_.watch(node), place);
  const NodeId parent = tree_.by_watch(place.parent);
  if (parent == no_node || tree_.is_below(parent, node) || leaves_out(parent, place.name)) return false;
  put_at(node, parent, place.name);
  newcomer_ = node;
  return true;
}

void Watcher::Impl::put_at(NodeId node, NodeId parent, const std::string& name) {
  if (tree_.is_below(parent, node)) return;  // the tree lags behind; a later event will tell
  const NodeId there = tree_.child(parent, name);
  if (there == node) return;
  if (there != no_node) tree_.set_replaced(there);
  tree_.relink(node, parent, name);
  if (!denied_.empty()) denied_moved(node);
  // It will not be listed with what it left.
  if (untold_.contains(tree_.watch(node)) && !untold_.contains(tree_.watch(parent))) await_listing(node);
}

// The queue says that the directory at this place left or was deleted, and it was not `node`: that one was
// made there later, and its own CREATE is still to come.
void Watcher::Impl::outdated(NodeId node) {
  if (node != no_node) outdated_.insert(tree_.watch(node));
}

// What came in its place has been told. Or it was this that left it, unheard.
void Watcher::Impl::not_outdated(NodeId node) {
  if (outdated_.erase(tree_.watch(node)) != 0) doubt(tree_.watch(node));
}

}  // namespace notify_core
