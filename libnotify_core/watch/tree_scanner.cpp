// SPDX-License-Identifier: GPL-2.0-or-later
#include "watch/tree_scanner.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstddef>
#include <cstring>

#include "sys/syscall.hpp"
#include "watch/retread.hpp"

#ifndef XFS_SUPER_MAGIC
#define XFS_SUPER_MAGIC 0x58465342
#endif

namespace notify_core::watch {
namespace {

constexpr std::size_t listing_buffer = 64 * 1024;
constexpr std::size_t open_levels = 24;  // as long as descriptors last
constexpr unsigned child_flags = backend::add_directory_only | backend::add_no_follow;
constexpr EventMask made_by_listing = mask::open | mask::access | mask::close_nowrite;

// What getdents64(2) returns.
struct Entry {
  std::uint64_t inode;
  std::int64_t offset;
  std::uint16_t length;
  unsigned char type;
  char name[1];
};

bool is_dot_or_dots(const char* name) {
  return name[0] == '.' && (name[1] == '\0' || (name[1] == '.' && name[2] == '\0'));
}

// Where a directory's link count is known to be two more than the number of its subdirectories. Not so on
// btrfs (always 1) and overlayfs (1 where directories are merged); elsewhere it is not taken on trust.
bool link_count_counts(int directory) {
  const long type = sys::filesystem_type(directory);
  return type == EXT4_SUPER_MAGIC || type == TMPFS_MAGIC || type == XFS_SUPER_MAGIC;
}

}  // namespace

bool vanished(int status) {
  return status == -ENOENT || status == -ENOTDIR || status == -ELOOP;
}

TreeScanner::TreeScanner(backend::WatchBackend& backend, WatchTree& tree, EventMask events,
                         ScanListener& listener)
    : backend_(backend), tree_(tree), events_(events), listener_(listener), most_open_(open_levels) {
  quiet_events_ = events & ~made_by_listing;
  if (quiet_events_ == 0) quiet_events_ = mask::delete_self;  // inotify refuses to watch for nothing
}

bool TreeScanner::scan(sys::Fd directory, NodeId node, ScanKind kind) {
  kind_ = kind;
  limit_reached_ = false;
  if (!buffer_) buffer_ = std::make_unique_for_overwrite<char[]>(listing_buffer);
  entered_ = 1;
  visited_depths_ = 0;
  push(std::move(directory), {node, 0, true, kind == ScanKind::birth, true, 0});
  while (!frames_.empty()) {
    Frame& top = frames_.back();
    if (top.pending_next == pending_.size() || limit_reached_) {
      leave();
    } else {
      descend(pending_[top.pending_next++]);
    }
  }
  pending_ = {};
  names_ = {};
  buffer_.reset();
  return !limit_reached_;
}

void TreeScanner::push(sys::Fd directory, const Pending& start) {
  Frame frame;
  frame.node = start.node;
  frame.pending_begin = frame.pending_next = pending_.size();
  frame.names_begin = names_.size();
  frame.newborn = start.newborn;
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
  if (start.newborn) listener_.listed(start.node);
}

void TreeScanner::list(Frame& frame) {
  std::uint32_t subdirectories = 0;
  for (;;) {
    const std::ptrdiff_t size = sys::list_directory(frame.directory.get(), buffer_.get(), listing_buffer);
    if (size < 0 && !vanished(static_cast<int>(size))) {
      fail(static_cast<int>(size), "getdents64", frame.node, {});
    }
    if (size <= 0) return;
    for (std::ptrdiff_t at = 0; at < size && !limit_reached_;) {
      const char* raw = buffer_.get() + at;
      std::uint16_t length;
      std::memcpy(&length, raw + offsetof(Entry, length), sizeof length);
      entry(frame, raw + offsetof(Entry, name), static_cast<unsigned char>(raw[offsetof(Entry, type)]),
            subdirectories);
      at += length;
    }
    if (limit_reached_) return;
    // What is made from here on has an event of its own: the directory is watched.
    if (frame.links_count && !frame.newborn && frame.links >= 2 && subdirectories == frame.links - 2) return;
  }
}

void TreeScanner::entry(Frame& frame, const char* name, unsigned char type, std::uint32_t& subdirectories) {
  if (is_dot_or_dots(name)) return;
  bool directory = type == DT_DIR;
  if (type == DT_UNKNOWN) {
    sys::FileFacts facts;
    if (sys::facts_at(frame.directory.get(), name, AT_SYMLINK_NOFOLLOW, facts) < 0) return;
    directory = S_ISDIR(facts.mode);
  }
  if (frame.newborn) listener_.found(frame.node, name, directory);
  if (!directory) return;
  ++subdirectories;
  if (listener_.leaves_out(frame.node, name)) return;
  if (kind_ == ScanKind::first && is_visit_likely()) return put_off(name);
  const Pending child = watch_child(frame, name);
  if (child.node == no_node) return;
  if (!child.visit && frame.pending_next == pending_.size()) {
    tree_.set_order(child.node);
  } else {
    pending_.push_back(child);
  }
}

// Watching a directory has the kernel look at all its entries. So one that is going to be listed is watched
// just before that, which finds them at hand, and not with its neighbours.
void TreeScanner::put_off(const char* name) {
  Pending child;
  child.name = names_.size();
  names_.append(name).push_back('\0');
  pending_.push_back(child);
}

// Most directories are like others of their depth: where the last one had subdirectories, this one is watched
// as it is to be while it is listed. No node where it is not to be visited, nor given an order.
TreeScanner::Pending TreeScanner::watch_child(Frame& frame, const char* name) {
  const bool quiet = is_visit_likely() && quiet_events_ != events_ && kind_ == ScanKind::first;
  const EventMask events = quiet ? quiet_events_ : events_;
  int watch = backend_.add(name, events, child_flags);
  if (watch >= 0 && listener_.was_ended(watch)) watch = backend_.add(name, events, child_flags);
  if (watch < 0) {
    fail(watch, backend_.adding_call(), frame.node, name);
    return {};
  }
  if (quiet && tree_.by_watch(watch) != no_node) backend_.add(name, events_, child_flags);
  NodeId child = no_node;
  const Child state = settle_child(frame, name, watch, child);
  if (state == Child::skip) return {};
  const bool repairing = kind_ == ScanKind::repair || kind_ == ScanKind::again;
  const bool newborn = frame.newborn || (repairing && state == Child::unknown);
  if (newborn && !frame.newborn && kind_ == ScanKind::repair) listener_.found(frame.node, name, true);
  if (kind_ == ScanKind::arrival && state == Child::unknown) listener_.taken_for_old(child);
  const std::uint32_t links = link_count(frame, name);
  const bool visit = newborn || links != 2;
  visited_depths_ = visit ? visited_depths_ | depth_bit() : visited_depths_ & ~depth_bit();
  if (!visit) tree_.set_unlisted(child);
  if (!visit && quiet) ask_for_all_events(child, name);
  return {child, links, visit, newborn, quiet, 0};
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
  if (node == no_node && kind_ == ScanKind::first) {  // what stands there is what was found, and new
    node = tree_.add_child(frame.node, name, watch);
    return Child::unknown;
  }
  const NodeId there = kind_ == ScanKind::first ? no_node : tree_.child(frame.node, name);
  if (node != no_node) {
    tree_.set_swept(node);
    if (kind_ == ScanKind::first && tree_.is_root(node)) adopt(frame, name, node);
    // Of two names of one directory among the operands, the first stays; unless it was moved in mid-walk.
    if (kind_ == ScanKind::first && !tree_.is_root(node)) listener_.sighted(node, frame.node, name);
    if (kind_ == ScanKind::first) read_again(frame, name);
    if (kind_ == ScanKind::first || tree_.is_root(node)) return Child::skip;
    const bool looked_into = kind_ == ScanKind::again || kind_ == ScanKind::arrival;
    if (node == there) return looked_into || listener_.is_told(node) ? Child::skip : Child::known;
    if (kind_ != ScanKind::repair) {
      listener_.sighted(node, frame.node, name);
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

void TreeScanner::read_again(const Frame& frame, std::string_view name) {
  constexpr int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW;
  sys::Fd directory(sys::open_at(frame.directory.get(), std::string(name).c_str(), flags));
  const std::string path = std::string(tree_.path(frame.node)).append(name).append("/");
  const auto is_excluded = [this](std::string_view below) { return listener_.is_excluded(below); };
  if (directory) retread(std::move(directory), path, is_excluded);
}

// Of an entry of the directory on top. 0 where it does not tell the number of subdirectories: on another kind
// of filesystem, or mounted over.
std::uint32_t TreeScanner::link_count(const Frame& frame, const char* name) const {
  sys::FileFacts facts;
  const int place = backend_.keeps_place() ? AT_FDCWD : frame.directory.get();
  if (!frame.links_count || sys::facts_at(place, name, AT_SYMLINK_NOFOLLOW, facts) < 0) return 0;
  return facts.device == frame.device ? facts.links : 0;
}

// An operand below another one follows that one's renames, as long as both say its path alike.
void TreeScanner::adopt(const Frame& frame, std::string_view name, NodeId root) {
  std::string path(tree_.path(frame.node));
  path.append(name).append("/");
  if (tree_.path(root) == path) tree_.adopt(root, frame.node, name);
}

// Between being watched and being opened here, the name may have come to stand for something else. What was
// watched is being moved, then: its own events will tell where to, and there it is listed.
void TreeScanner::descend(Pending child) {
  Frame& frame = frames_.back();
  if (child.node == no_node) {
    const std::string name(&names_[child.name]);
    const int status = enter_top();
    if (status < 0) return fail(status, "fchdir", frame.node, name);
    child = watch_child(frame, name.c_str());
    if (child.node == no_node) return;
  }
  if (!child.visit) return tree_.set_order(child.node);
  const std::string name(tree_.name(child.node));
  int status = 0;
  sys::Fd directory = open_child(child, name, status);
  if (directory) {
    status = backend_.enter(directory.get());
    entered_ = 0;
  }
  if (status >= 0 && is_entered(child.node)) {
    entered_ = frames_.size() + 1;
    return push(std::move(directory), child);
  }
  tree_.set_order(child.node);
  if (status >= 0 || vanished(status)) return listener_.unlisted(child.node, child.newborn);
  // Readable but not searchable: what is in it cannot be watched, by anyone of this user.
  const bool said = directory && status == -EACCES;
  directory.reset();
  if (enter_top() >= 0 && quiet_events_ != events_) ask_for_all_events(child.node, name.c_str());
  if (!said) fail(status, "open", frame.node, name);
  if (child.newborn) listener_.listed(child.node);
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
  const int watch = backend_.add(name, quiet_events_, flags);
  if (watch < 0 || watch == tree_.watch(node)) return watch;
  if (tree_.by_watch(watch) == no_node) {
    backend_.remove(watch);
  } else if (quiet_events_ != events_) {
    backend_.add(name, events_, flags);
  }
  return -ENOENT;
}

// Before anything is reported, what was moved in mid-walk is set right by its events alone, at no cost here.
bool TreeScanner::is_entered(NodeId child) {
  return kind_ == ScanKind::first || silence(child, ".", backend::add_directory_only) >= 0;
}

// Opens a child of the directory on top, after silencing the events that this makes.
sys::Fd TreeScanner::open_child(const Pending& child, const std::string& name, int& status) {
  const int parent = frames_.back().directory.get();
  if (quiet_events_ != events_ && !child.quiet) {
    status = enter_top();
    if (status == 0) status = silence(child.node, name.c_str(), child_flags);
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
  names_.resize(frame.names_begin);
  tree_.set_order(frame.node);
  if (!frames_.empty() && !frames_.back().directory) {
    if (!reopen(frames_.back(), frame.directory.get())) frames_.back().pending_next = pending_.size();
  }
  if (quiet_events_ != events_ && frame.directory) restore_events(frame);
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
        silence(frame.node, ".", backend::add_directory_only) >= 0) {
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

void TreeScanner::fail(int status, const char* call, NodeId parent, std::string_view name) {
  if (vanished(status)) return;
  if (status == -ENOSPC) limit_reached_ = true;
  std::string path(tree_.path(parent));
  path += name;
  if (!name.empty()) path += '/';
  listener_.failed(sys::error(status, call, path));
}

int open_node(const WatchTree& tree, NodeId node, int flags) {
  constexpr std::size_t longest = 4000;  // PATH_MAX with room to spare
  std::string path(tree.path(node));
  sys::Fd from;
  std::size_t at = 0;
  while (path.size() - at > longest) {
    const std::size_t cut = path.rfind('/', at + longest);
    if (cut == std::string::npos || cut <= at) return -ENAMETOOLONG;
    path[cut] = '\0';
    from.reset(sys::open_at(from ? from.get() : AT_FDCWD, path.c_str() + at, O_PATH | O_DIRECTORY));
    if (!from) return -ENOENT;
    at = cut + 1;
  }
  return sys::open_at(from ? from.get() : AT_FDCWD, path.c_str() + at, flags);
}

}  // namespace notify_core::watch
