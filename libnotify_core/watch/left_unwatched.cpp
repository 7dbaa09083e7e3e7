// SPDX-License-Identifier: GPL-2.0-or-later
// Directories of the tree that nobody watches, though nothing is in the way any more: what a filesystem that
// was unmounted had hidden. No event says so; it is looked at when all has been read.
#include <string>
#include <utility>

#include "watch/watcher_impl.hpp"

namespace notify_core {

using watch::no_node;
using watch::NodeId;
using watch::ScanKind;

// The kernel says so of all that is watched in the filesystem, in no order: only what stands in a directory
// that stays is of interest, and drop_one() forgets the rest.
void Watcher::Impl::unmounted(NodeId node) {
  if (tree_.is_root(node) || !options_.recursive || !options_.follow_tree) return;
  uncovered_[tree_.watch(tree_.parent(node))].insert(std::string(tree_.name(node)));
}

// What is there now has been there all along: its entries are no news.
void Watcher::Impl::watch_uncovered() {
  for (const auto& [watch, names] : std::exchange(uncovered_, {})) {
    for (const std::string& name : names) {
      const NodeId parent = tree_.by_watch(watch);
      if (parent != no_node) born(parent, name, ScanKind::arrival);
    }
  }
}

}  // namespace notify_core
