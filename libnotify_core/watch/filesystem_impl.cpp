// SPDX-License-Identifier: GPL-2.0-or-later
#include "watch/filesystem_impl.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <utility>

#include "sys/handle.hpp"
#include "sys/syscall.hpp"

namespace notify_core {

using backend::Record;
using watch::no_node;
using watch::NodeId;

Watcher::FilesystemImpl::FilesystemImpl(WatcherOptions options,
                                        std::unique_ptr<backend::FanotifyBackend> backend)
    : Impl(std::move(options), std::move(backend)),
      fanotify_(static_cast<backend::FanotifyBackend&>(*backend_)) {}

Result<void> Watcher::FilesystemImpl::add(std::string_view path,
                                          const std::function<void(const Error&)>& on_unreadable) {
  (void)on_unreadable;  // nothing below is read
  const std::string name(path);
  const int follow = options_.follow_symlinks ? 0 : AT_SYMLINK_NOFOLLOW;
  sys::FileFacts facts;
  const int status = sys::facts_at(AT_FDCWD, name.c_str(), follow, facts);
  if (status < 0) return sys::error(status, "statx", name);
  const unsigned flags = options_.follow_symlinks ? 0U : backend::add_no_follow;
  const int number = fanotify_.add_path(name.c_str(), kernel_events_, flags);
  if (number < 0) return adding_error(number, name);
  const bool directory = S_ISDIR(facts.mode);
  const NodeId known = tree_.by_watch(number);
  if (known != no_node && tree_.is_root(known) && !outside_.contains(known)) return {};
  if (known != no_node) forget_below(known);
  const NodeId root = tree_.add_root(root_name(name, directory), number);
  tree_.set_order(root);
  if (!directory) file_places_[root] = sys::absolute_path(name);
  return {};
}

void Watcher::FilesystemImpl::handle(const Record& record) {
  if (record.mask & mask::q_overflow) return start_anew();
  const NodeId node = directory_node(record.watch);
  if (node == no_node) return;
  const bool of_operand = record.target >= 0 && (record.mask & mask::is_directory) == 0;
  if (is_inside(node)) {
    report(node, record.mask, record.cookie, record.name, record.pid);
  } else if (const NodeId file = of_operand ? tree_.by_watch(record.target) : no_node; file != no_node) {
    report(file, record.mask, record.cookie, {}, record.pid);
  }
  if (record.mask & mask::is_directory && !record.name.empty()) follow(node, record);
  if ((record.mask & mask::move_self) && file_places_.contains(node)) root_moved(node);
}

// A directory was made, moved or removed.
void Watcher::FilesystemImpl::follow(NodeId parent, const Record& record) {
  int target = record.target;
  if (target < 0 && (record.mask & (mask::moved_from | mask::remove))) {
    const NodeId child = tree_.child(parent, record.name);
    if (child != no_node) target = tree_.watch(child);
  }
  if (record.mask & mask::moved_from) {
    moving_ = target;
    moving_cookie_ = record.cookie;
  } else if (record.mask & mask::moved_to) {
    if (target < 0 && record.cookie == moving_cookie_) target = moving_;
    moving_ = -1;
    if (target >= 0) hang(parent, record.name, target);
  } else if ((record.mask & mask::create) && target >= 0) {
    hang(parent, record.name, target);
  } else if ((record.mask & mask::remove) && target >= 0) {
    const NodeId node = tree_.by_watch(target);
    if (node != no_node && !tree_.is_root(node)) tree_.set_replaced(node);
    gone_.push_back(target);
  }
}

NodeId Watcher::FilesystemImpl::directory_node(int number) {
  const NodeId known = tree_.by_watch(number);
  return known != no_node ? known : look_up(number);
}

// Climbs from a directory to the first one known. What is read but not handed on yet is looked at first: the
// filesystem shows where a directory is now, which may be later than what is being told.
NodeId Watcher::FilesystemImpl::look_up(int number) {
  std::vector<Step> steps;
  NodeId node = no_node;
  sys::Fd directory;
  for (int at = number; node == no_node; node = tree_.by_watch(at)) {
    if (steps.size() > deepest) return no_node;
    Step step{at, {}};
    if (backend::FanotifyBackend::Foretold place; fanotify_.foretold(at, place)) {
      step.name = place.name;
      if (place.removed) gone_.push_back(at);
      at = place.above;
      directory.reset();
    } else {
      if (!directory) directory.reset(fanotify_.open_directory(at));
      sys::Fd above;
      if (!directory || !read_step(directory, above, step)) {
        gone_.push_back(number);
        return no_node;
      }
      if (!above) {
        node = tree_.add_root(step.name, at);
        outside_.insert(node);
        break;
      }
      at = fanotify_.number_of(above.get());
      directory = std::move(above);
    }
    if (at < 0) return no_node;
    steps.push_back(std::move(step));
  }
  for (auto step = steps.rbegin(); step != steps.rend(); ++step) {
    hang(node, step->name, step->number);
    node = tree_.by_watch(step->number);
    if (node == no_node) return no_node;
  }
  return node;
}

// The name of a directory in the one above it, which is opened; at the top of the mount its path, and nothing
// above. False where it moves too fast to be told.
bool Watcher::FilesystemImpl::read_step(const sys::Fd& directory, sys::Fd& above, Step& step) {
  constexpr int most_tries = 8;
  for (int tries = 0; tries < most_tries; ++tries) {
    std::string path;
    if (sys::path_of(directory.get(), path) < 0) return false;
    above.reset(fanotify_.open_above(directory.get()));
    if (!above) {
      step.name = std::move(path);
      if (!step.name.ends_with('/')) step.name += '/';
      return true;
    }
    step.name = path.substr(path.rfind('/') + 1);
    sys::FileFacts here, there;
    if (sys::facts_at(directory.get(), "", AT_EMPTY_PATH, here) < 0) return false;
    if (here.links == 0) {  // removed, and held open by somebody
      gone_.push_back(step.number);
      return true;
    }
    const int status = sys::facts_at(above.get(), step.name.c_str(), AT_SYMLINK_NOFOLLOW, there);
    if (status == 0 && here.inode == there.inode) return true;
  }
  return false;
}

// Gives a directory its place in the tree.
void Watcher::FilesystemImpl::hang(NodeId parent, std::string_view name, int number) {
  const NodeId there = tree_.child(parent, name);
  NodeId node = tree_.by_watch(number);
  if (node != no_node && (node == there || tree_.is_below(parent, node))) return;
  if (there != no_node) tree_.set_replaced(there);
  if (node == no_node) {
    node = tree_.add_child(parent, name, number);
  } else if (tree_.is_root(node)) {
    tree_.set_root_path(node, std::string(tree_.path(parent)).append(name).append("/"));
    return;
  } else {
    tree_.relink(node, parent, name);
  }
  tree_.set_order(node);
  if (excluded_.empty() && !options_.prune) return;
  const std::string_view path = tree_.path(node);
  if (is_excluded(path) || (options_.prune && options_.prune(path))) {
    left_out_.insert(node);
  } else {
    left_out_.erase(node);
  }
}

bool Watcher::FilesystemImpl::is_inside(NodeId node) const {
  for (;; node = tree_.parent(node)) {
    if (!left_out_.empty() && left_out_.contains(node)) return false;
    if (tree_.is_root(node)) return outside_.empty() || !outside_.contains(node);
  }
}

// Every event of the directories that are gone has been read by now.
void Watcher::FilesystemImpl::queue_drained() {
  for (const int number : std::exchange(gone_, {})) {
    const NodeId node = tree_.by_watch(number);
    if (node != no_node) {
      forget_below(node);
    } else {
      fanotify_.forget(number);
    }
  }
  if (tree_.size() > most_known) forget_some();
}

// Forgets a directory and all below it.
void Watcher::FilesystemImpl::forget_below(NodeId top) {
  NodeId node = top;
  for (;;) {
    while (tree_.first_child(node) != no_node) node = tree_.first_child(node);
    const NodeId above = node == top ? no_node : tree_.parent(node);
    forget_one(node);
    if (above == no_node) return;
    node = above;
  }
}

void Watcher::FilesystemImpl::forget_one(NodeId node) {
  if (is_inside(node)) notice(Notice::Kind::watch_deleted, tree_.path(node), tree_.order(node));
  fanotify_.forget(tree_.watch(node));
  outside_.erase(node);
  left_out_.erase(node);
  file_places_.erase(node);
  tree_.remove(node);
}

// What is forgotten can be looked up again. Directories without any below them go, outside the operands
// first.
void Watcher::FilesystemImpl::forget_some() {
  for (const bool inside_too : {false, true}) {
    std::vector<NodeId> leaves;
    tree_.for_each([&](NodeId node) {
      if (tree_.is_root(node) || tree_.first_child(node) != no_node) return;
      if (inside_too || !is_inside(node)) leaves.push_back(node);
    });
    for (const NodeId leaf : leaves) forget_one(leaf);
    if (tree_.size() < most_known / 2) return;
  }
}

// The queue overflowed: nothing but the operands is sure.
void Watcher::FilesystemImpl::start_anew() {
  report(no_node, mask::q_overflow, 0, {});
  notice(Notice::Kind::overflow, {});
  for (const NodeId root : std::vector<NodeId>(tree_.roots())) {
    while (tree_.first_child(root) != no_node) forget_below(tree_.first_child(root));
  }
  gone_.clear();
  moving_ = -1;
  notice(Notice::Kind::overflow_repaired, {});
}

}  // namespace notify_core
