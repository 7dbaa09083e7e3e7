// SPDX-License-Identifier: GPL-2.0-or-later
// How what the program is to watch comes under watch: plain operands, trees, and what they are called.
#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <utility>

#include "sys/syscall.hpp"
#include "watch/first_walk.hpp"
#include "watch/retread.hpp"
#include "watch/walk_sharing.hpp"
#include "watch/walked_tree.hpp"
#include "watch/watcher_impl.hpp"

namespace notify_core {

using watch::no_node;
using watch::NodeId;

namespace {

constexpr int directory_flags = O_RDONLY | O_DIRECTORY;

std::string with_slash(std::string path) {
  if (path.empty() || path.back() != '/') path += '/';
  return path;
}

}  // namespace

Result<void> Watcher::Impl::add(std::string_view path,
                                const std::function<void(const Error&)>& on_unreadable) {
  calm_ = false;
  const std::string name(path);
  if (!options_.recursive) return add_plain(name);
  const int status = sys::open_at(AT_FDCWD, name.c_str(), directory_flags);
  if (status == -ENOTDIR) return add_plain(name);
  if (status < 0) return sys::error(status, "open", name);
  const watch::During during(on_unreadable_, &on_unreadable);
  retired_.merge(births_.take_hidden());
  while (!retired_.empty()) retire_some();  // a walk may come upon what they watch
  return add_tree(name, sys::Fd(status));
}

Result<void> Watcher::Impl::add_plain(const std::string& path) {
  const unsigned flags =
      backend::add_keep_old_events | (options_.follow_symlinks ? 0U : backend::add_no_follow);
  const int watch = backend_->add_path(path.c_str(), kernel_events_, flags);
  if (watch < 0) return adding_error(watch, path);
  if (tree_.by_watch(watch) != no_node) return {};  // the first name of the two stays
  sys::FileFacts facts;
  const int follow = says_absolute_paths() && options_.follow_symlinks ? 0 : AT_SYMLINK_NOFOLLOW;
  const bool directory = sys::facts_at(AT_FDCWD, path.c_str(), follow, facts) == 0 && S_ISDIR(facts.mode);
  const NodeId root = tree_.add_root(root_name(path, directory), watch);
  tree_.set_order(root);
  if (says_absolute_paths() && !directory) file_places_[root] = sys::absolute_path(path);
  return {};
}

Result<void> Watcher::Impl::add_tree(const std::string& path, sys::Fd directory) {
  int watch = 0;
  bool complete = true;
  sys::run_with_own_working_directory([&](bool own) {
    backend_->use_working_directory(own);
    watch = watch_root(path, directory.get());
    if (watch < 0) return;
    if (short_.erase(watch) != 0) {
      complete = complete_tree(tree_.by_watch(watch), std::move(directory));
      return;
    }
    if (tree_.by_watch(watch) != no_node)
      return watch::retread(std::move(directory), with_slash(path),
                            [this](std::string_view below) { return is_excluded(below); });
    const NodeId root = tree_.add_root(root_name(path, true), watch);
    complete = walk_tree(root, std::move(directory));
    if (!complete) short_.insert(watch);
    if (!denied_paths_.empty()) denied_at_first(root);
  });
  backend_->use_working_directory(false);
  if (watch < 0) return adding_error(watch, path);
  if (!complete) return std::move(limit_error_);
  return {};
}

bool Watcher::Impl::walk_tree(NodeId root, sys::Fd directory) {
  watch::WalkRules rules;
  rules.events = kernel_events_;
  rules.quiet_events = scanner_.quiet_events();
  rules.last_known = tree_.highest_watch();
  rules.alone = tree_.size() == 1;
  rules.is_excluded = [this](std::string_view path) { return is_excluded(path); };
  if (options_.prune) {
    rules.leaves_out = [this](std::string_view path) { return is_excluded(path) || options_.prune(path); };
  } else if (!excluded_.empty()) {
    rules.leaves_out = rules.is_excluded;
  }
  // What the program asks of a path need not bear to be asked by two threads; and one is content with few
  // descriptors.
  constexpr std::size_t plenty = 256;
  const bool may_share = !options_.prune && sys::descriptor_limit() >= plenty;
  watch::WalkSharing sharing(may_share ? backend_->another_placer() : nullptr);
  watch::WalkedTree sink(tree_, *this, root);
  watch::FirstWalk walk(*backend_, rules, sink, sharing.is_possible() ? &sharing : nullptr);
  const bool complete = walk.walk(std::move(directory), tree_.watch(root), std::string(tree_.path(root)));
  walk_was_disturbed_ = walk_was_disturbed_ || (options_.follow_tree && backend_->has_queued());
  return complete;
}

// Some of it could not be watched at first, for want of watches or descriptors.
bool Watcher::Impl::complete_tree(NodeId root, sys::Fd directory) {
  limit_error_ = Error();
  repair_tree(root, std::move(directory));
  if (limit_error_.number == 0) return true;
  short_.insert(tree_.watch(root));
  return false;
}

Error Watcher::Impl::adding_error(int status, std::string_view path) const {
  Error error = sys::error(status, backend_->adding_call(), path);
  error.detail = backend_->explain(status);
  return error;
}

// How an operand is called in events.
std::string Watcher::Impl::root_name(const std::string& path, bool directory) const {
  if (!directory) return path;
  const std::string absolute = says_absolute_paths() ? sys::absolute_path(path) : std::string();
  return with_slash(absolute.empty() ? path : absolute);
}

// Whoever says absolute paths does not keep an old one.
void Watcher::Impl::root_moved(NodeId root) {
  const std::string place = says_absolute_paths() ? backend_->where(tree_.watch(root)) : std::string();
  if (place.empty()) return;
  if (tree_.path(root).back() == '/') {
    tree_.set_root_path(root, with_slash(place));
  } else {
    file_places_[root] = place;
  }
}

// By its path where it may be read but not entered.
int Watcher::Impl::watch_root(const std::string& path, int directory) {
  constexpr unsigned flags = backend::add_directory_only | backend::add_keep_old_events;
  const int status = backend_->enter(directory);
  if (status == -EACCES) {
    denied_paths_.emplace_back();
    return backend_->add_path(path.c_str(), scanner_.quiet_events(), flags);
  }
  return status < 0 ? status : backend_->add(".", scanner_.quiet_events(), flags);
}

// An operand may have ended while the queue overflowed. Nothing leads to it any more, so that no walk finds
// out.
void Watcher::Impl::end_operands() {
  std::vector<int> watches;
  for (const NodeId root : tree_.roots()) watches.push_back(tree_.watch(root));
  const std::vector<int> ended = backend_->ended(watches);
  if (backend_->has_queued()) return;  // what is told after all says more
  ends_unheard_ = false;
  for (const int watch : ended) {
    backend::Record record;
    record.watch = watch;
    record.mask = mask::ignored;
    handle(record);
  }
}

bool Watcher::Impl::is_excluded(std::string_view path) const {
  if (excluded_.empty()) return false;
  if (path.size() > 1 && path.back() == '/') path.remove_suffix(1);
  return excluded_.contains(std::string(path));
}

}  // namespace notify_core
