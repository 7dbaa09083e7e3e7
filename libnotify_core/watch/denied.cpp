// SPDX-License-Identifier: GPL-2.0-or-later
// Directories that may not be looked at, until their rights are changed.
//
// What says so is ATTRIB. The kernel queues it on the directory above, too, which can be asked to tell it
// even when the directory itself may not be read any more. Where the program did not ask for ATTRIB, that one
// watch is asked for it, so that only those pay who have such a directory.
#include <fcntl.h>

#include <cerrno>
#include <utility>

#include "watch/places.hpp"
#include "watch/watcher_impl.hpp"

namespace notify_core {

using backend::Record;
using watch::no_node;
using watch::NodeId;
using watch::ScanKind;

// May names in it be looked up? Also where it is not there to ask.
bool Watcher::Impl::is_searchable(NodeId node) const {
  const std::string itself = std::string(tree_.path(node)).append(".");
  const int status = watch::open_path(AT_FDCWD, itself, O_PATH | O_DIRECTORY);
  const sys::Fd place(status);
  return status != -EACCES;
}

// The highest one that cannot be searched; itself where that is none.
NodeId Watcher::Impl::who_blocks(NodeId node) const {
  NodeId blocker = node;
  while (!tree_.is_root(blocker) && !is_searchable(tree_.parent(blocker))) blocker = tree_.parent(blocker);
  return blocker;
}

// The walks found that `name` in `parent` may not be watched, or not be listed. It is only noted here, for
// they have a place to keep.
bool Watcher::Impl::denied(NodeId parent, std::string_view name, bool newborn) {
  if (!options_.follow_tree) return true;  // nobody would look again
  calm_ = false;
  const NodeId node = tree_.child(parent, name);
  if (node != no_node) return deny(node, newborn ? ScanKind::again : ScanKind::arrival);
  if (!is_searchable(parent)) return deny(parent, newborn ? ScanKind::again : ScanKind::arrival);
  const int watch = tree_.watch(parent);
  if (!denied_.add_name(watch, name, newborn ? ScanKind::birth : ScanKind::arrival)) return false;
  await_rights(watch, name);
  return true;
}

// It cannot be looked into. False: that has been said, or is not so any more. `looks`: how often it was not
// so.
bool Watcher::Impl::deny(NodeId node, ScanKind kind, int looks) {
  constexpr int most_looks = 2;  // whoever may be searched but not read has rights, too
  if (!options_.follow_tree) return true;
  const int watch = tree_.watch(node);
  const NodeId blocker = who_blocks(node);
  const bool is_new = denied_.add(watch, kind, tree_.watch(blocker));
  // The change may have come while it was looked for, and be told of another one than was found.
  if (looks < most_looks && is_searchable(blocker)) {
    unsettled_.push_back({watch, denied_.take(watch), 0});
    unsettled_.back().looks = looks + 1;
    if (is_new) denied_.settled(watch);
    return false;
  }
  if (tree_.is_root(blocker)) {  // or what is above that: nobody tells of it
    add_astray(node, denied_.take(watch));
  } else {
    await_rights(tree_.watch(tree_.parent(blocker)), tree_.name(blocker));
  }
  return is_new;
}

// Where nobody asked for ATTRIB, the watch of the directory above will be.
void Watcher::Impl::await_rights(int above, std::string_view name) {
  if ((kernel_events_ & mask::attrib) == 0 && !denied_.is_telling(above))
    denied_lately_.push_back({above, std::string(name)});
}

void Watcher::Impl::ask_for_rights() {
  const auto lately = std::exchange(denied_lately_, {});
  constexpr unsigned here = backend::add_directory_only | backend::add_keep_old_events;
  for (const auto& [above, name] : lately) {
    const NodeId node = tree_.by_watch(above);
    if (node == no_node || denied_.is_telling(above)) continue;
    if (const sys::Fd place = open_confirmed(node)) {
      backend_->add(".", mask::attrib, here);
      denied_.set_telling(above);
    } else if (place_error_ == -EACCES) {
      wait_above(node, name);
    }
  }
  // They may have been changed before that.
  for (const auto& [above, name] : lately) {
    const NodeId node = tree_.by_watch(above);
    if (node != no_node) rights_changed(node, name);
  }
}

// Nor may `node` be asked, in which `name` lacks the rights: those of `node`, or of one above it, come first.
void Watcher::Impl::wait_above(NodeId node, const std::string& name) {
  const NodeId blocker = who_blocks(node);
  const NodeId below = tree_.child(node, name);
  watch::Denied::Kinds waiting{{tree_.watch(node), ScanKind::again}};
  if (below != no_node) waiting = denied_.take_blocked(tree_.watch(below));
  for (const auto& [watch, kind] : waiting) {
    if (tree_.is_root(blocker)) {
      add_astray(tree_.by_watch(watch), kind);
    } else {
      denied_.add(watch, kind, tree_.watch(blocker));
      await_rights(tree_.watch(tree_.parent(blocker)), tree_.name(blocker));
    }
  }
}

// Of `node`, or of `name` in it.
void Watcher::Impl::rights_changed(NodeId node, const std::string& name) {
  const NodeId changed = name.empty() ? node : tree_.child(node, name);
  if (changed != no_node) return let_in(changed);
  const ScanKind* kind = denied_.find_name(tree_.watch(node), name);
  if (kind == nullptr) return;
  const ScanKind how = *kind;
  born(node, name, how);
  if (tree_.child(node, name) != no_node) denied_.erase_name(tree_.watch(node), name);
}

// Its own events are asked for by its name: "." in it cannot be looked up.
void Watcher::Impl::list_unsearchable(sys::Fd directory, NodeId node, ScanKind kind) {
  scanner_.list_unsearchable(directory, node, kind == ScanKind::birth);
  directory.reset();
  tree_.set_order(node);
  if (scanner_.quiet_events() == kernel_events_) return;
  stands_at({tree_.watch(tree_.parent(node)), std::string(tree_.name(node))}, tree_.watch(node));
}

// What is in it may be within reach now. It is looked for when the queue has come to its end, for it may be
// elsewhere already.
void Watcher::Impl::let_in(NodeId node) {
  const int watch = tree_.watch(node);
  if (!denied_.blocks(watch)) return;
  // Where it is one above it that blocks by now, they wait for that.
  if (!is_searchable(node) && (tree_.is_root(node) || is_searchable(tree_.parent(node)))) return;
  for (const auto& [waiting, kind] : denied_.take_blocked(watch)) unsettled_.push_back({waiting, kind, 0});
}

// It stands elsewhere now: those in it may have been let in by that.
void Watcher::Impl::denied_moved(NodeId top) {
  for (const int watch : denied_.waiting()) {
    const NodeId node = tree_.by_watch(watch);
    if (node == no_node || !tree_.is_below(node, top)) continue;
    unsettled_.push_back({watch, denied_.take(watch), 0});
  }
}

// What the first walk could not watch or list is looked at again when that may be done. An empty path: the
// operand.
void Watcher::Impl::denied_at_first(NodeId root) {
  for (const std::string& path : std::exchange(denied_paths_, {})) {
    NodeId parent = root;
    std::size_t at = tree_.path(root).size();
    for (std::size_t end; parent != no_node && (end = path.find('/', at)) < path.size() - 1; at = end + 1)
      parent = tree_.child(parent, std::string_view(path).substr(at, end - at));
    if (parent == no_node) continue;
    if (at >= path.size()) {
      deny(parent, ScanKind::arrival);
    } else {
      denied(parent, std::string_view(path).substr(at, path.size() - 1 - at), false);
    }
  }
}

}  // namespace notify_core
