// SPDX-License-Identifier: GPL-2.0-or-later
#include "watch/filesystem_impl.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <utility>

#include "sys/handle.hpp"
#include "sys/syscall.hpp"

namespace notify_core {

using backend::Record;
using watch::no_node;
using watch::NodeId;

Watcher::FilesystemImpl::FilesystemImpl(WatcherOptions options,
                                        std::unique_ptr<backend::FanotifyBackend> backend,
                                        std::size_t most_known)
    : Impl(std::move(options), std::move(backend)),
      fanotify_(static_cast<backend::FanotifyBackend&>(*backend_)),
      most_known_(most_known),
      tells_ends_(backend::tells_ends(backend::FanotifyScope::filesystems, kernel_events_)) {}

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
  if (Result<void> usable = look_at_operand(number, name, directory); !usable) return usable;
  const NodeId known = tree_.by_watch(number);
  if (known != no_node && tree_.is_root(known) && !outside_.contains(known)) return {};
  if (known != no_node) forget_below(known);
  const NodeId root = tree_.add_root(root_name(name, directory), number);
  tree_.set_order(root);
  if (!directory) file_places_[root] = sys::absolute_path(name);
  return {};
}

// Directories are found by their handles: whoever may not open those would find none.
Result<void> Watcher::FilesystemImpl::look_at_operand(int number, const std::string& name, bool directory) {
  int status = fanotify_.open_directory(number);
  const sys::Fd operand(status);
  if (!operand) {
    Error error = sys::error(status, "open_by_handle_at", name);
    if (error.number == EPERM) error.detail = "finding directories needs CAP_DAC_READ_SEARCH, too";
    return error;
  }
  if (options_.below_only || !directory) return {};
  status = fanotify_.open_above(operand.get());
  if (const sys::Fd above(status); above) return {};
  if (status != -ENOENT) return sys::error(status, "openat", name);
  whole_.emplace(fanotify_.filesystem_of(number));
  fanotify_.know_top(operand.get());
  return {};
}

void Watcher::FilesystemImpl::handle(const Record& record) {
  if (record.mask & mask::q_overflow) return start_anew();
  const NodeId node = directory_node(record);
  if (node == no_node) return;
  const bool of_operand = record.target >= 0 && (record.mask & mask::is_directory) == 0;
  if (is_inside(node)) {
    report(node, record.mask, record.cookie, record.name, record.pid);
  } else if (const NodeId file = of_operand ? tree_.by_watch(record.target) : no_node; file != no_node) {
    report(file, record.mask, record.cookie, record.name, record.pid);
  }
  if (record.mask & mask::is_directory && !record.name.empty()) follow(node, record);
  if ((record.mask & mask::delete_self) && record.name.empty()) gone_.push_back(record.watch);
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
    if (!tells_ends_) gone_.push_back(target);
    const NodeId node = tree_.by_watch(target);
    if (node == no_node) {
      hang_removed(parent, record.name, target);
    } else if (!tree_.is_root(node)) {
      tree_.set_placeless(node);
    }
  }
}

NodeId Watcher::FilesystemImpl::directory_node(const Record& record) {
  const NodeId known = tree_.by_watch(record.watch);
  if (known != no_node) return known;
  const NodeId found = look_up(record.watch);
  // That a directory is no more has been said by its removal.
  const EventMask said = record.mask & ~mask::is_directory;
  if (found == no_node && said != mask::delete_self) ++lost_;
  return found;
}

// The filesystem shows where a directory is now; what was queued meanwhile may say that it was elsewhere when
// the event was made.
NodeId Watcher::FilesystemImpl::look_up(int number) {
  constexpr int most_tries = 8;
  for (int tries = 0; tries < most_tries; ++tries) {
    std::vector<Step> steps;
    NodeId node = climb(number, steps);
    const bool more = look_ahead();
    if (more && (node == no_node || is_outdated(steps))) continue;
    if (node == no_node) break;
    for (auto step = steps.rbegin(); step != steps.rend() && node != no_node; ++step) {
      if (step->gone) {
        hang_removed(node, step->name, step->number);
      } else {
        hang(node, step->name, step->number);
      }
      node = tree_.by_watch(step->number);
    }
    return node;
  }
  gone_.push_back(number);
  return no_node;
}

bool Watcher::FilesystemImpl::look_ahead() {
  bool more = false;
  while (fanotify_.look_ahead()) {
    more = true;
    if (fanotify_.drained()) break;
  }
  return more;
}

bool Watcher::FilesystemImpl::is_outdated(const std::vector<Step>& steps) {
  backend::FanotifyBackend::Foretold place;
  for (const Step& step : steps) {
    if (step.seen && fanotify_.foretold(step.number, place)) return true;
  }
  return false;
}

// Climbs from a directory to the first one known, which is returned.
NodeId Watcher::FilesystemImpl::climb(int number, std::vector<Step>& steps) {
  NodeId node = no_node;
  sys::Fd directory;
  for (int at = number; node == no_node; node = tree_.by_watch(at)) {
    if (steps.size() > deepest) return no_node;
    Step step{at, {}};
    if (!step_told(directory, at, step)) {
      sys::Fd above;
      if (!read_step(directory, above, step)) return no_node;
      if (!above) return add_top(step);
      at = fanotify_.number_of(above.get());
      directory = std::move(above);
    }
    if (at < 0) return no_node;
    steps.push_back(std::move(step));
  }
  return node;
}

// What is read but not handed on yet is looked at first. If it is silent, the directory is opened; if that is
// gone, its removal is queued.
bool Watcher::FilesystemImpl::step_told(sys::Fd& directory, int& at, Step& step) {
  backend::FanotifyBackend::Foretold place;
  bool told = fanotify_.foretold(at, place);
  if (!told && !directory) {
    directory.reset(fanotify_.open_directory(at));
    while (!directory && !told && fanotify_.look_ahead()) told = fanotify_.foretold(at, place);
  }
  if (!told) return false;
  step.name = place.name;
  at = place.above;
  directory.reset();
  return true;
}

// At the top of the mount its path is the name.
NodeId Watcher::FilesystemImpl::add_top(const Step& step) {
  const NodeId node = tree_.add_root(step.name, step.number);
  tree_.set_order(node);
  if (!whole_.contains(std::string(fanotify_.filesystem_of(step.number)))) outside_.insert(node);
  return node;
}

// The name of a directory in the one above it, which is opened; at the top of the mount its path, and nothing
// above. False where it moves too fast to be told, or no descriptor is left to look.
bool Watcher::FilesystemImpl::read_step(const sys::Fd& directory, sys::Fd& above, Step& step) {
  constexpr int most_tries = 8;
  if (!directory) return false;
  step.seen = true;
  for (int tries = 0; tries < most_tries; ++tries) {
    std::string path;
    if (sys::path_of(directory.get(), path) < 0) return false;
    const int status = fanotify_.open_above(directory.get());
    above.reset(status);
    if (!above && status != -ENOENT) return false;
    if (!above) {
      step.name = std::move(path);
      if (!step.name.ends_with('/')) step.name += '/';
      return true;
    }
    step.name = path.substr(path.rfind('/') + 1);
    sys::FileFacts here, there;
    if (sys::facts_at(directory.get(), "", AT_EMPTY_PATH, here) < 0) return false;
    if (here.links == 0) {  // removed, and held open by somebody
      step.gone = true;
      return true;
    }
    const int told = sys::facts_at(above.get(), step.name.c_str(), AT_SYMLINK_NOFOLLOW, there);
    if (told == 0 && here.inode == there.inode) return true;
  }
  return false;
}

// Gives a directory its place in the tree.
void Watcher::FilesystemImpl::hang(NodeId parent, std::string_view name, int number) {
  const NodeId there = tree_.child(parent, name);
  NodeId node = tree_.by_watch(number);
  if (node != no_node && (node == there || tree_.is_below(parent, node))) return;
  if (there != no_node) tree_.set_placeless(there);
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

// Gives a removed directory its last place, which may have been taken by another one.
void Watcher::FilesystemImpl::hang_removed(NodeId parent, std::string_view name, int number) {
  const NodeId node = tree_.add_child(parent, name, number);
  tree_.set_placeless(node);
  tree_.set_order(node);
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
    if (node == no_node) {
      fanotify_.forget(number);
    } else if (tree_.is_root(node)) {
      report(node, mask::ignored, 0, {});  // an operand: as if its watch had ended
      forget_below(node);
    } else {
      forget_removed(node);
    }
  }
  if (tree_.size() > most_known_) forget_some();
}

// Forgets a directory that is gone as soon as all below it is.
void Watcher::FilesystemImpl::forget_removed(NodeId node) {
  while (tree_.first_child(node) == no_node) {
    const NodeId above = tree_.parent(node);
    forget_one(node);
    if (!removed_.contains(above)) return;
    node = above;
  }
  removed_.insert(node);
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
  removed_.erase(node);
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
    if (tree_.size() < most_known_ / 2) return;
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
  lost_ = 0;
  moving_ = -1;
  notice(Notice::Kind::overflow_repaired, {});
}

}  // namespace notify_core
