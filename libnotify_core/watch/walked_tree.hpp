// SPDX-License-Identifier: GPL-2.0-or-later
// What a first walk says, put into the tree.
#pragma once

#include <string_view>
#include <vector>

#include "watch/tree_scanner.hpp"
#include "watch/walk_sink.hpp"
#include "watch/watch_tree.hpp"

namespace notify_core::watch {

class WalkedTree final : public WalkSink {
 public:
  // `root`: where the walk begins; no watch in the tree is higher than that of it.
  WalkedTree(WatchTree& tree, ScanListener& listener, NodeId root)
      : tree_(tree), listener_(listener), at_hand_{root}, first_(tree.highest_watch() + 1) {}

  bool begin(std::string_view name, int watch) override;
  void end(bool leaf) override;
  void missed(int watch) override;
  void failed(Error error) override { listener_.failed(std::move(error)); }

 private:
  bool note(int watch);
  void adopt(NodeId root, std::string_view name);

  WatchTree& tree_;
  ScanListener& listener_;
  std::vector<NodeId> at_hand_;  // and those above it
  // The kernel numbers new watches one after the other, so a bit for each is enough to see that one is met
  // again; the tree's own table is made when all are there.
  int first_;
  std::vector<bool> met_;  // first_ and those after it
};

}  // namespace notify_core::watch
