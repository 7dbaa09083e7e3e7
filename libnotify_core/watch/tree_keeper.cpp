// SPDX-License-Identifier: GPL-2.0-or-later
// Keeps the tree of watches true: births, deaths, and the repair after an overflow. operands.cpp has what is
// watched at first, move_keeper.cpp the moves, newcomers.cpp what cannot be listed yet, retired.cpp the ends
// of watches. The story is told at the head of watcher.cpp.
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "sys/handle.hpp"
#include "sys/syscall.hpp"
#include "watch/places.hpp"
#include "watch/watcher_impl.hpp"

namespace notify_core {

using backend::Record;
using watch::no_node;
using watch::NodeId;
using watch::ScanKind;

namespace {

constexpr int directory_flags = O_RDONLY | O_DIRECTORY;
constexpr int place_flags = O_PATH | O_DIRECTORY;  // opening a directory so makes no event

}  // namespace

bool Watcher::Impl::leaves_out(NodeId parent, std::string_view name) {
  const bool compare = repairing_ && !excluded_.empty();
  if (!compare && !options_.prune) return false;
  scratch_ = tree_.path(parent);
  scratch_ += name;
  scratch_ += '/';
  if (compare && is_excluded(scratch_) && tree_.child(parent, name) == no_node) return true;
  return options_.prune && options_.prune(scratch_);
}

// Now by its name, or when the watches were set up.
bool Watcher::Impl::was_left_out(NodeId parent, std::string_view name) {
  return leaves_out(parent, name) || is_excluded(std::string(tree_.path(parent)).append(name));
}

void Watcher::Impl::unlisted(NodeId node, bool newborn) {
  if (newborn) return await_listing(node);
  if (shut_out(node)) return;
  Unsettled unsettled{tree_.watch(node), ScanKind::arrival, 0};
  unsettled.quiet = on_unreadable_ != nullptr;  // inotify-tools says nothing of it at first
  unsettled_.push_back(std::move(unsettled));
}

// A repair is not done before it has come there.
bool Watcher::Impl::shut_out(NodeId node) {
  half_seen(node);
  if (!repairing_) return false;
  unrepaired_.insert(tree_.watch(node));
  unsettled_.push_back({tree_.watch(node), ScanKind::again, 0});
  return true;
}

void Watcher::Impl::found(NodeId parent, std::string_view name, bool directory) {
  if (!taken_for_old_.empty()) taken_for_old_.erase(tree_.watch(parent));
  if (!taken_before_.empty()) taken_before_.erase(tree_.watch(parent));
  if (!options_.recover || (options_.mask & mask::create) == 0) return;
  if (on_unreadable_ != nullptr) return;  // add() tells of nothing
  if (untold_.told(tree_.watch(parent), name)) return;
  recovery_.add(tree_.watch(parent), name, directory);
}

void Watcher::Impl::failed(Error error) {
  if (using_room_ && error.number == ENOSPC) return;
  if (on_unreadable_ != nullptr) {
    if (watch::limit_reached(-error.number)) {
      limit_error_ = std::move(error);
      return;
    }
    if (error.number == EACCES) denied_paths_.push_back(error.path);
    if (*on_unreadable_) (*on_unreadable_)(error);
    return;
  }
  if (watch::out_of_descriptors(-error.number) && std::exchange(shortage_said_, true)) return;
  notice(Notice::Kind::watch_failed, error.path, 0, &error);
}

// What must change before the event is handed on, so that it is said of the right path.
void Watcher::Impl::follow_before(NodeId node, const Record& record) {
  if ((record.mask & mask::move_self) == 0) return;
  doubt_listing(node);
  self_moved(node);
}

// It may have moved just before its link count was looked at, which is another one's then; and during the
// first walk, before it was listed: nobody makes sure there that what is opened is what was watched.
void Watcher::Impl::doubt_listing(NodeId node) {
  if (!known_since_before(node) && (walk_was_disturbed_ || tree_.is_unlisted(node))) {
    unsettled_.push_back({tree_.watch(node), ScanKind::arrival, 0});
  }
}

// What changes once the event has been handed on.
void Watcher::Impl::follow_after(NodeId node, const Record& record) {
  if (!untold_.empty()) untold_.heard(record.watch, record.name, record.mask);
  if (record.mask & mask::unmount) return unmounted(node);
  if (record.mask & mask::ignored) return drop(node, End::deleted);
  if (settle_moved(node)) return;
  if (!options_.recursive || !options_.follow_tree || (record.mask & mask::is_directory) == 0) return;
  const std::string name(record.name);
  if (!denied_.empty()) {
    if (record.mask & mask::attrib) return rights_changed(node, name);
    if (record.mask & (mask::create | mask::remove | mask::move)) denied_.erase_name(record.watch, name);
  }
  if (record.mask & mask::moved_from) {
    left(node, name, record);
  } else if (record.mask & mask::moved_to) {
    arrived(node, record);
  } else if (record.mask & mask::create) {
    born(node, name, ScanKind::birth, true);
  } else if (record.mask & mask::remove) {
    came_late(node, name);
    const NodeId there = tree_.child(node, name);
    const bool itself = there != no_node && record.target == tree_.watch(there);
    // Where the backend knows, it may be that one: its "ignored" is to come.
    if (itself) {
      tree_.set_replaced(there);
    } else {
      outdated(there);
    }
  }
}

// What its MOVE_SELF has led to. False: nothing is left to be done.
bool Watcher::Impl::settle_moved(NodeId node) {
  if (node == departing_) {
    departing_ = no_node;
    drop(node, End::moved_out);
    return true;
  }
  if (node != newcomer_) return false;
  newcomer_ = no_node;
  list_newcomer(node);
  return true;
}

// Opens a watched directory by its path; nothing where another one has that path by now.
sys::Fd Watcher::Impl::open_confirmed(NodeId node) {
  const int status = watch::open_node(tree_, node, place_flags);
  sys::Fd directory(status);
  int watch = directory ? backend_->enter(directory.get()) : status;
  constexpr unsigned flags = backend::add_directory_only | backend::add_keep_old_events;
  if (watch >= 0) watch = backend_->add(".", kernel_events_, flags);
  place_error_ = watch < 0 && watch != -ENOSPC ? watch : -ENOENT;  // another one may be one too many
  if (watch == tree_.watch(node)) return directory;
  end_stranger(watch);
  return {};
}

void Watcher::Impl::born(NodeId parent, const std::string& name, ScanKind kind, bool told) {
  if (leaves_out(parent, name)) return;
  const NodeId there = tree_.child(parent, name);
  const bool is_taken = there != no_node && !outdated_.contains(tree_.watch(there));
  if (told && there != no_node) hear_of_birth(times_of(there));
  if (there != no_node) kind == ScanKind::birth ? news_of(there) : not_outdated(there);
  if (kind == ScanKind::birth) came_late(parent, name);  // another one had that name
  if (kind == ScanKind::birth && is_to_leave(parent, name)) missed_birth(parent);
  sys::Fd place = open_confirmed(parent);
  if (!place) {
    if (kind == ScanKind::birth) missed_birth(parent);
    if (kind == ScanKind::arrival) late_arrivals_[tree_.watch(parent)].insert(name);
    return unsettled_.push_back({tree_.watch(parent), ScanKind::again, 0, 0, 0, name});
  }
  sys::Fd directory;
  const int watch = watch_newborn(parent, name, kind, std::move(place), directory);
  const NodeId known = watch < 0 ? no_node : tree_.by_watch(watch);
  const bool is_another = known != no_node && known != there;
  if (kind == ScanKind::arrival && (watch::vanished(watch) || is_another))  // it has moved on
    late_arrivals_[tree_.watch(parent)].insert(name);
  if (kind == ScanKind::birth && (watch::vanished(watch) || is_another)) missed_birth(parent);
  if (watch::out_of_descriptors(watch)) {
    if (kind == ScanKind::birth) missed_birth(parent);
    if (kind == ScanKind::arrival) late_arrivals_[tree_.watch(parent)].insert(name);
    leave_unopened({tree_.watch(parent), ScanKind::again, 0, 0, 0, name});
  }
  if (watch < 0) return;
  if (told) hear_of_birth(sys::times_at(directory.get(), "", AT_EMPTY_PATH));
  if (known != no_node) {  // watched since it was found by listing; its contents are known
    if (is_another && !tree_.is_root(known)) sighted(known, parent, name, true);
    if (is_taken && kind == ScanKind::arrival && known == there) came_for_another(known);
    return;
  }
  if (there != no_node) tree_.set_replaced(there);
  const NodeId node = tree_.add_child(parent, name, watch);
  if (kind == ScanKind::arrival) taken_for_old_.insert(watch);
  if (place_error_ == -EACCES) {
    list_unsearchable(std::move(directory), node, kind);
  } else {
    scanner_.scan(std::move(directory), node, kind);
  }
  notice(Notice::Kind::new_directory, tree_.path(node), tree_.order(node));
}

// Who reads the events may have taken what is in it for the contents of another one, which is gone.
void Watcher::Impl::news_of(NodeId node) {
  const int watch = tree_.watch(node);
  if (outdated_.erase(watch) + taken_for_old_.erase(watch) + taken_before_.erase(watch) == 0) return;
  have_been_born(node);
  all_below_is_untold(node);
  await_listing(node);
}

// Watches and opens the directory `name` in `place`, which has been entered; negative where that cannot be
// had or where the name has become another directory meanwhile, whose own events will come.
//
// The kernel looks the name up before it attaches the watch: what is moved in between is moved unheard. So it
// is opened by its name after that. Where this leads to what is watched, the queue has the MOVE_SELF of every
// rename to come.
// What is readable but not searchable has no way in to be found by: place_error_ says so.
int Watcher::Impl::watch_newborn(NodeId parent, const std::string& name, ScanKind kind, sys::Fd place,
                                 sys::Fd& directory) {
  constexpr unsigned here = backend::add_directory_only | backend::add_keep_old_events;
  const EventMask events = scanner_.quiet_events();
  int watch = backend_->add(name.c_str(), events, here | backend::add_no_follow);
  if (watch >= 0 && was_ended(watch))
    watch = backend_->add(name.c_str(), events, here | backend::add_no_follow);
  int status = watch;
  if (watch >= 0) status = sys::open_at(place.get(), name.c_str(), directory_flags | O_NOFOLLOW);
  directory.reset(watch >= 0 ? status : -1);
  place.reset();
  if (status < 0) {
    end_stranger(watch);
    if (watch::vanished(status)) return status;
    if (status == -ENOSPC) beyond_limit(parent, name, kind == ScanKind::arrival);
    if (status == -EACCES && !denied(parent, name, kind == ScanKind::birth)) return status;
    const std::string path = std::string(tree_.path(parent)).append(name).append("/");
    failed(watch >= 0 ? sys::error(status, "open", path) : adding_error(status, path));
    return status;
  }
  int opened = backend_->enter(directory.get());
  if (opened == 0) opened = backend_->add(".", events, here);
  if (opened == -EACCES) place_error_ = opened;
  if (opened == watch || opened == -EACCES) return watch;
  end_stranger(watch);
  end_stranger(opened);
  return -ENOENT;
}

// Takes a node and all below it out of the tree, deepest first. What is found elsewhere stays.
void Watcher::Impl::drop(NodeId top, End end) {
  if (!sightings_.empty() && rescue_sighted(top)) return;
  const bool goes_on = end == End::moved_out || tree_.first_child(top) != no_node;  // with what is in it
  if (goes_on && !recovery_.idle()) recovery_.forget(top);
  NodeId node = top;
  for (;;) {
    while (tree_.first_child(node) != no_node) node = tree_.first_child(node);
    const NodeId above = node == top ? no_node : tree_.parent(node);
    drop_one(node, node == top ? end : End::moved_out);
    if (above == no_node) break;
    node = above;
  }
}

void Watcher::Impl::drop_one(NodeId node, End end) {
  if (end == End::deleted) notice(Notice::Kind::watch_deleted, tree_.path(node), tree_.order(node));
  if (end == End::moved_out) notice(Notice::Kind::watch_moved_out, tree_.path(node), tree_.order(node));
  const bool hides = end == End::moved_out && births_.hide(tree_.watch(node));
  if (end != End::deleted && !hides) retired_.insert(tree_.watch(node));
  moves_.forget(node);
  sightings_.erase(tree_.watch(node));
  if (!file_places_.empty()) file_places_.erase(node);
  outdated_.erase(tree_.watch(node));
  doubted_.erase(tree_.watch(node));
  if (!astray_.empty()) forget_astray(node);
  unrepaired_.erase(tree_.watch(node));
  late_arrivals_.erase(tree_.watch(node));
  forget_unwatched(node);
  denied_.erase(tree_.watch(node));
  away_.erase(tree_.watch(node));
  untold_.erase(tree_.watch(node));
  tree_.remove(node);
}

// The queue overflowed: what is known of the tree may be wrong from here on, so every root is walked again.
void Watcher::Impl::repair() {
  calm_ = false;
  notice(Notice::Kind::overflow, {});
  moves_.clear();
  moving_ = backend::unwatched;
  known_before_ = last_known_ = 0;  // the tree is going to be ahead of what is queued by now
  unsettled_.clear();
  untold_.clear();
  departing_ = newcomer_ = no_node;
  sightings_.clear();
  doubted_.clear();
  unrepaired_.clear();
  late_arrivals_.clear();
  forget_all_unwatched();
  denied_.clear();
  denied_lately_.clear();
  sighted_lately_ = false;
  outdated_.clear();
  away_.clear();
  if (options_.recursive && options_.follow_tree) {
    repairing_ = true;
    tree_.begin_sweep();
    for (const NodeId root : std::vector<NodeId>(tree_.roots())) {
      tree_.set_swept(root);
      repair_root(root);
    }
    drop_unseen();
    repairing_ = false;
  }
  ends_unheard_ = true;
  notice(Notice::Kind::overflow_repaired, {});
}

// Where it is renamed or gone, nothing can be said of what is below, until it is back.
void Watcher::Impl::repair_root(NodeId root) {
  if (tree_.path(root).back() != '/') return;  // not a directory's
  sys::Fd directory = open_to_list(root);
  if (!directory) {
    shut_out(root);
    return;
  }
  astray_.erase(tree_.watch(root));
  repair_below(root, std::move(directory));
}

sys::Fd Watcher::Impl::open_to_list(NodeId node) {
  const sys::Fd place = open_confirmed(node);
  if (!place) return {};
  place_error_ = sys::open_at(place.get(), ".", directory_flags);
  return sys::Fd(place_error_);
}

void Watcher::Impl::repair_below(NodeId top, sys::Fd directory) {
  half_seen_.insert(top);  // unless it can be entered
  sys::run_with_own_working_directory([&](bool own) {
    backend_->use_working_directory(own);
    if (backend_->enter(directory.get()) == 0) {
      half_seen_.erase(top);
      backend_->add(".", scanner_.quiet_events() | also_asked(top), backend::add_directory_only);
      scanner_.scan(std::move(directory), top, ScanKind::repair);
    }
  });
  backend_->use_working_directory(false);
}

// What a repair could not look at may be within reach now. False: it is not; nor is it the time for that
// while events are queued, as the tree is not to be ahead of them.
bool Watcher::Impl::repair_again(NodeId top) {
  if (batch_events_ != 0) return false;
  sys::Fd directory = open_to_list(top);
  if (!directory) return false;
  repair_tree(top, std::move(directory));
  return true;
}

void Watcher::Impl::repair_tree(NodeId top, sys::Fd directory) {
  unrepaired_.erase(tree_.watch(top));
  known_before_ = last_known_ = 0;
  repairing_ = true;
  tree_.begin_sweep();
  tree_.for_each([&](NodeId node) {
    if (node == top || !tree_.is_below(node, top)) tree_.set_swept(node);
  });
  repair_below(top, std::move(directory));
  drop_unseen();
  repairing_ = false;
}

// What was known and not found has left; but not where its directory could not all be looked at.
void Watcher::Impl::drop_unseen() {
  std::vector<NodeId> unseen;
  tree_.for_each([&](NodeId node) {
    if (!tree_.swept(node) && tree_.swept(tree_.parent(node))) unseen.push_back(node);
  });
  for (const NodeId node : unseen) {
    sweep_all_below(node);
    if (!half_seen_.contains(tree_.parent(node))) drop(node, End::moved_out);
  }
  half_seen_.clear();
}

}  // namespace notify_core
