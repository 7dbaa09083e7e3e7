// SPDX-License-Identifier: GPL-2.0-or-later
#include "watch/tree_scanner.hpp"

#include <dirent.h>
#include <fcntl.h>

#include <cerrno>
#include <utility>

#include "sys/syscall.hpp"
#include "watch/places.hpp"

namespace notify_core::watch {
namespace {

constexpr std::size_t listing_buffer = 64 * 1024;
constexpr std::size_t open_levels = 24;  // as long as descriptors last
constexpr unsigned child_flags =
    backend::add_directory_only | backend::add_no_follow | backend::add_keep_old_events;
constexpr unsigned own_flags = backend::add_directory_only | backend::add_keep_old_events;
constexpr EventMask made_by_listing = mask::open | mask::access | mask::close_nowrite;

}  // namespace

TreeScanner::TreeScanner(backend::WatchBackend& backend, WatchTree& tree, EventMask events,
                         ScanListener& listener)
    : backend_(backend), tree_(tree), events_(events), listener_(listener), most_open_(open_levels) {
  quiet_events_ = events & ~made_by_listing;
  if (quiet_events_ == 0) quiet_events_ = mask::delete_self;  // inotify refuses to watch for nothing
}

void TreeScanner::scan(sys::Fd directory, NodeId node, ScanKind kind) {
  kind_ = kind;
  limit_said_ = false;
  if (!reader_) reader_ = std::make_unique<sys::DirectoryReader>(listing_buffer);
  entered_ = 1;
  push(std::move(directory), {node, 0, true, kind == ScanKind::birth});
  while (!frames_.empty()) {
    Frame& top = frames_.back();
    if (top.pending_next == pending_.size()) {
      leave();
    } else {
      descend(pending_[top.pending_next++]);
    }
  }
  pending_ = {};
  reader_.reset();
}

void TreeScanner::push(sys::Fd directory, const Pending& start) {
  Frame frame;
  frame.node = start.node;
  frame.pending_begin = frame.pending_next = pending_.size();
  frame.newborn = start.newborn;
  frame.old = start.old;
  sys::FileFacts facts;
  if (start.links != 0) {
    frame.device = frames_.back().device;
    frame.links = start.links;
    frame.links_count = true;
  } else if (sys::facts_at(directory.get(), "", AT_EMPTY_PATH, facts) == 0) {
    frame.device = facts.device;
    frame.links = facts.links;
    frame.links_count = link_count_counts(directory.get());
  }
  frame.directory = std::move(directory);
  frames_.push_back(std::move(frame));
  if (frames_.size() > most_open_) frames_[frames_.size() - 1 - most_open_].directory.reset();
  list(frames_.back());
  if (start.newborn) listener_.listed(start.node, frames_.back().directory.get());
}

void TreeScanner::list(Frame& frame) {
  std::uint32_t subdirectories = 0;
  for (;;) {
    const std::ptrdiff_t size =
        reader_->read(frame.directory.get(), [&](const char* name, unsigned char type) {
          entry(frame, name, type, subdirectories);
          return true;
        });
    if (size < 0) listener_.half_seen(frame.node);
    if (size < 0 && !vanished(static_cast<int>(size))) {
      fail(static_cast<int>(size), "getdents64", frame.node, {}, frame.newborn);
    }
    if (size <= 0) return;
    // What is made from here on has an event of its own: the directory is watched. Not where more is to be
    // read: what was renamed meanwhile may have been counted twice, in place of one yet to come.
    const bool may_stop = frame.links_count && !frame.newborn && reader_->had_room(size);
    if (may_stop && subdirectories + 2 == frame.links) return;
  }
}

void TreeScanner::entry(Frame& frame, const char* name, unsigned char type, std::uint32_t& subdirectories) {
  const bool directory = is_directory(frame.directory, name, type);
  if (frame.newborn) listener_.found(frame.node, name, directory);
  if (!directory) return;
  ++subdirectories;
  if (listener_.leaves_out(frame.node, name)) return;
  const Pending child = watch_child(frame, name);
  if (child.node == no_node) return;
  if (!child.visit && frame.pending_next == pending_.size()) {
    tree_.set_order(child.node);
  } else {
    pending_.push_back(child);
  }
}

// No node where it is not to be visited, nor given an order.
TreeScanner::Pending TreeScanner::watch_child(Frame& frame, const char* name) {
  const EventMask events = frame.newborn ? quiet_events_ : events_;  // it is going to be listed at once
  int watch = backend_.add(name, events, child_flags);
  if (watch >= 0 && listener_.was_ended(watch)) watch = backend_.add(name, events, child_flags);
  if (watch == -ENOSPC) {
    leave_unwatched(frame, name);
    return {};
  }
  if (watch < 0) {
    const NodeId known = vanished(watch) ? no_node : tree_.child(frame.node, name);
    const bool tried_again = known != no_node && keep_unseen(known);
    const bool newborn = frame.newborn || kind_ == ScanKind::again;
    if (!tried_again) fail(watch, backend_.adding_call(), frame.node, name, newborn);
    return {};
  }
  NodeId child = no_node;
  const Child state = settle_child(frame, name, watch, child);
  if (state == Child::skip) return {};
  const bool repairing = kind_ == ScanKind::repair || kind_ == ScanKind::again;
  const bool fresh = state == Child::unknown;
  const bool old = fresh && !frame.newborn && (frame.old || is_arrival(frame, name));
  const bool newborn = frame.newborn || (repairing && fresh && !old);
  if (newborn && !frame.newborn && kind_ == ScanKind::repair) listener_.found(frame.node, name, true);
  if (old) listener_.taken_for_old(child);
  const std::uint32_t links = link_count(frame, name);
  const bool visit = newborn || links != 2;
  if (!visit) tree_.set_unlisted(child);
  return {child, links, visit, newborn, fresh, frame.newborn && fresh, old};
}

// The limit of watches is reached. What has a watch has it still, so the rest is gone through all the same;
// it is complained of once.
void TreeScanner::leave_unwatched(const Frame& frame, const char* name) {
  if (kind_ == ScanKind::repair && !frame.newborn) listener_.found(frame.node, name, true);
  listener_.beyond_limit(frame.node, name, !frame.newborn && (frame.old || is_arrival(frame, name)));
  if (std::exchange(limit_said_, true)) return;
  Error error = sys::error(-ENOSPC, backend_.adding_call(), std::string(tree_.path(frame.node)) + name + '/');
  error.detail = backend_.explain(-ENOSPC);
  listener_.failed(std::move(error));
}

// Of an unknown directory.
bool TreeScanner::is_arrival(const Frame& frame, const char* name) {
  return kind_ == ScanKind::arrival ||
         (kind_ == ScanKind::again && listener_.is_old(frame.node, name, frame.directory.get()));
}

// It cannot be looked at, but its watch is as good as ever, and so are those below it. True: it is tried
// again.
bool TreeScanner::keep_unseen(NodeId node) {
  tree_.set_swept(node);
  return listener_.shut_out(node);
}

// Of `name` in the directory entered, which should be `node`.
void TreeScanner::ask_for_all_events(NodeId node, const char* name) {
  const int watch = backend_.add(name, events_, child_flags);
  if (watch == tree_.watch(node)) return;
  if (watch >= 0 && tree_.by_watch(watch) == no_node) backend_.remove(watch);
  listener_.unlisted(node, false);
}

// Gives the watch its place in the tree.
TreeScanner::Child TreeScanner::settle_child(const Frame& frame, std::string_view name, int watch,
                                             NodeId& node) {
  node = tree_.by_watch(watch);
  const NodeId there = tree_.child(frame.node, name);
  if (node != no_node) {
    tree_.set_swept(node);
    if (tree_.is_root(node)) return Child::skip;
    const bool looked_into = kind_ == ScanKind::again || kind_ == ScanKind::arrival;
    if (node == there) return looked_into || listener_.is_told(node) ? Child::skip : Child::known;
    if (kind_ != ScanKind::repair) {
      listener_.sighted(node, frame.node, name, kind_ == ScanKind::again && !frame.newborn);
      backend_.enter(frame.directory.get());  // who was told may have looked elsewhere
      return Child::skip;
    }
    if (tree_.is_below(frame.node, node)) return Child::skip;
  }
  if (there != no_node) tree_.set_replaced(there);  // its own events will tell what became of it
  if (node == no_node) {
    node = tree_.add_child(frame.node, name, watch);
    return Child::unknown;
  }
  tree_.relink(node, frame.node, name);
  return Child::known;
}

// Of an entry of the directory on top. 0 where it does not tell the number of subdirectories: on another kind
// of filesystem, or mounted over.
std::uint32_t TreeScanner::link_count(const Frame& frame, const char* name) const {
  sys::FileFacts facts;
  const int place = backend_.keeps_place() ? AT_FDCWD : frame.directory.get();
  if (!frame.links_count || sys::facts_at(place, name, AT_SYMLINK_NOFOLLOW, facts) < 0) return 0;
  return facts.device == frame.device ? facts.links : 0;
}

// Between being watched and being opened here, the name may have come to stand for something else. What was
// watched is being moved, then: its own events will tell where to, and there it is listed.
void TreeScanner::descend(Pending child) {
  const Frame& frame = frames_.back();
  if (!child.visit) return tree_.set_order(child.node);
  const std::string name(tree_.name(child.node));
  int status = 0;
  sys::Fd directory = open_child(child, name, status);
  if (directory) {
    status = backend_.enter(directory.get());
    entered_ = 0;
  }
  if (directory && status >= 0) status = silence(child.node, ".", own_flags);
  if (directory && status >= 0) {
    entered_ = frames_.size() + 1;
    return push(std::move(directory), child);
  }
  if (vanished(status)) {
    if (child.newborn && child.fresh) {
      listener_.slipped_away(child.node);
      entered_ = 0;  // who was told may have looked elsewhere
      return;
    }
    tree_.set_order(child.node);
    return listener_.unlisted(child.node, child.newborn);
  }
  tree_.set_order(child.node);
  const bool unsearchable = directory && status == -EACCES;
  if (unsearchable) list_unsearchable(directory, child.node, child.newborn);
  directory.reset();
  if (enter_top() >= 0 && quiet_events_ != events_) ask_for_all_events(child.node, name.c_str());
  if (out_of_descriptors(status)) {
    fail(status, "open", frame.node, name, child.newborn);
    return listener_.unlisted(child.node, child.newborn);
  }
  const bool tried_again = !child.fresh && listener_.shut_out(child.node);
  if (!unsearchable && !tried_again) fail(status, "open", frame.node, name, child.newborn);
  if (child.newborn) listener_.listed(child.node, -1);
}

void TreeScanner::list_unsearchable(const sys::Fd& directory, NodeId node, bool newborn) {
  sys::DirectoryReader reader(listing_buffer);
  std::ptrdiff_t size = 0;
  do {
    size = reader.read(directory.get(), [&](const char* name, unsigned char type) {
      const bool is_directory = type == DT_DIR;  // there is no other way to know
      if (newborn) listener_.found(node, name, is_directory);
      if (is_directory && !listener_.leaves_out(node, name)) fail(-EACCES, "open", node, name, newborn);
      return true;
    });
  } while (size > 0);
}

// The place where names are looked up, unless it is that already.
int TreeScanner::enter_top() {
  if (entered_ == frames_.size() && backend_.keeps_place()) return 0;
  const int status = backend_.enter(frames_.back().directory.get());
  entered_ = status < 0 ? 0 : frames_.size();
  return status;
}

// Asks for quiet events of `name`, which should be `node`: the watch, or a negative errno. Where the name has
// become something else, that stays as it was.
int TreeScanner::silence(NodeId node, const char* name, unsigned flags) {
  const bool replacing = (flags & backend::add_keep_old_events) == 0;
  const EventMask events = quiet_events_ | (replacing ? listener_.also_asked(node) : 0);
  const int watch = backend_.add(name, events, flags);
  if (watch == -ENOSPC) return -ENOENT;  // who is watched needs no other watch
  if (watch < 0 || watch == tree_.watch(node)) return watch;
  if (tree_.by_watch(watch) == no_node) {
    backend_.remove(watch);
  } else if (quiet_events_ != events_) {
    backend_.add(name, events_, flags | backend::add_keep_old_events);
  }
  return -ENOENT;
}

// Opens a child of the directory on top, after silencing the events that this makes.
sys::Fd TreeScanner::open_child(const Pending& child, const std::string& name, int& status) {
  const int parent = frames_.back().directory.get();
  if (quiet_events_ != events_) {
    status = enter_top();
    constexpr unsigned replacing = child_flags & ~backend::add_keep_old_events;
    if (status == 0) status = silence(child.node, name.c_str(), child.quiet ? child_flags : replacing);
    if (status < 0) return {};
  }
  constexpr int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW;
  status = sys::open_at(parent, name.c_str(), flags);
  if (status == -EMFILE || status == -ENFILE) {
    close_above();
    status = sys::open_at(parent, name.c_str(), flags);
  }
  return sys::Fd(status);
}

// Descriptors have run out: keeps only the directory on top open, from now on too.
void TreeScanner::close_above() {
  most_open_ = 1;
  for (std::size_t i = 0; i + 1 < frames_.size(); ++i) frames_[i].directory.reset();
}

void TreeScanner::leave() {
  Frame frame = std::move(frames_.back());
  frames_.pop_back();
  pending_.resize(frame.pending_begin);
  tree_.set_order(frame.node);
  if (!frames_.empty() && !frames_.back().directory) {
    if (!reopen(frames_.back(), frame.directory.get())) pass_over_rest(frames_.back());
  }
  if (quiet_events_ != events_ && frame.directory) restore_events(frame);
}

// The directory has moved, and its children with it: they are listed when they can be found again.
void TreeScanner::pass_over_rest(Frame& frame) {
  for (; frame.pending_next < pending_.size(); ++frame.pending_next) {
    const Pending& child = pending_[frame.pending_next];
    tree_.set_order(child.node);
    if (child.visit) listener_.unlisted(child.node, child.newborn);
  }
}

// Comes back to a directory that was closed to save descriptors: it is the parent of `child`, unless
// something was moved meanwhile; then by its path.
bool TreeScanner::reopen(Frame& frame, int child) {
  constexpr int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW;
  frame.directory.reset(child < 0 ? -1 : sys::open_at(child, "..", flags));
  entered_ = 0;
  for (const bool by_path : {false, true}) {
    if (by_path) frame.directory.reset(open_node(tree_, frame.node, flags));
    if (frame.directory && backend_.enter(frame.directory.get()) == 0 &&
        silence(frame.node, ".", own_flags) >= 0) {
      entered_ = frames_.size();
      return true;
    }
  }
  frame.directory.reset();
  return false;
}

// The directory is closed before all events are asked for, so that none comes of closing it. Where that would
// lose the place, it is held by a descriptor that makes no events.
void TreeScanner::restore_events(Frame& frame) {
  const bool stays = backend_.keeps_place();
  const bool is_there = stays && entered_ == frames_.size() + 1;
  sys::Fd place;
  if (!stays) place.reset(sys::open_at(frame.directory.get(), ".", O_PATH | O_DIRECTORY));
  entered_ = 0;
  if (!is_there && backend_.enter(place ? place.get() : frame.directory.get()) < 0) return;
  frame.directory.reset();
  ask_for_all_events(frame.node, ".");
}

void TreeScanner::fail(int status, const char* call, NodeId parent, std::string_view name, bool newborn) {
  if (vanished(status)) return;
  if (status == -EACCES && !name.empty() && !listener_.denied(parent, name, newborn)) return;
  std::string path(tree_.path(parent));
  path += name;
  if (!name.empty()) path += '/';
  listener_.failed(sys::error(status, call, path));
}

}  // namespace notify_core::watch
