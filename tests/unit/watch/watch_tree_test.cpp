// SPDX-License-Identifier: GPL-2.0-or-later
#include "watch/watch_tree.hpp"

#include <doctest/doctest.h>

#include <map>
#include <random>
#include <vector>

using notify_core::watch::no_node;
using notify_core::watch::NodeId;
using notify_core::watch::WatchTree;

TEST_CASE("a path is the names from the root down, each directory ending in a slash") {
  WatchTree tree;
  const NodeId root = tree.add_root("./www/", 1);
  const NodeId a = tree.add_child(root, "a", 2);
  const NodeId b = tree.add_child(a, "b c", 3);
  CHECK(tree.path(root) == "./www/");
  CHECK(tree.path(b) == "./www/a/b c/");
  CHECK(tree.by_watch(3) == b);
  CHECK(tree.by_watch(4) == no_node);
  CHECK(tree.child(a, "b c") == b);
  CHECK(tree.child(root, "b c") == no_node);
}

TEST_CASE("a watch is found whether it is asked for early or late, and whatever its number is") {
  WatchTree tree;
  const NodeId root = tree.add_root("t/", 7);
  CHECK(tree.by_watch(7) == root);
  const NodeId a = tree.add_child(root, "a", 8);
  const NodeId b = tree.add_child(root, "b", 3);  // the kernel's numbers have come round
  tree.remove(a);
  CHECK(tree.by_watch(8) == no_node);
  CHECK(tree.by_watch(3) == b);
  const NodeId c = tree.add_child(root, "c", 8);
  const NodeId d = tree.add_child(root, "d", 9);
  CHECK(tree.by_watch(9) == d);
  CHECK(tree.by_watch(8) == c);
  CHECK(tree.by_watch(10) == no_node);
}

TEST_CASE("a path asked for again is that of this moment") {
  WatchTree tree;
  const NodeId root = tree.add_root("t/", 1);
  const NodeId a = tree.add_child(root, "a", 2);
  for (int i = 0; i < 100; ++i) {
    CHECK(tree.path(root) == "t/");
    tree.add_root("another/", 10 + i);
  }
  CHECK(tree.path(a) == "t/a/");
  tree.relink(a, root, "b");
  CHECK(tree.path(a) == "t/b/");
  tree.remove(a);
  const NodeId again = tree.add_child(root, "c", 3);
  CHECK(tree.path(again) == "t/c/");
  CHECK(tree.path(root) == "t/");
  tree.set_root_path(root, "elsewhere/");
  CHECK(tree.path(root) == "elsewhere/");
}

TEST_CASE("a renamed directory takes along all that is below it") {
  WatchTree tree;
  const NodeId root = tree.add_root("t/", 1);
  const NodeId from = tree.add_child(root, "old", 2);
  const NodeId deep = tree.add_child(tree.add_child(from, "x", 3), "y", 4);
  const NodeId other = tree.add_child(root, "other", 5);
  CHECK(tree.path(deep) == "t/old/x/y/");
  tree.relink(from, other, "new");
  CHECK(tree.path(deep) == "t/other/new/x/y/");
  CHECK(tree.child(root, "old") == no_node);
  CHECK(tree.child(other, "new") == from);
  CHECK(tree.is_below(deep, other));
  CHECK_FALSE(tree.is_below(other, deep));
}

TEST_CASE("a replaced directory keeps its path but gives up its place") {
  WatchTree tree;
  const NodeId root = tree.add_root("t/", 1);
  const NodeId dying = tree.add_child(root, "d", 2);
  const NodeId comes = tree.add_child(root, "e", 3);
  tree.set_replaced(dying);
  tree.relink(comes, root, "d");
  CHECK(tree.child(root, "d") == comes);
  CHECK(tree.path(dying) == "t/d/");
  tree.remove(dying);
  CHECK(tree.child(root, "d") == comes);
}

TEST_CASE("the order of watching is given once and never twice") {
  WatchTree tree;
  const NodeId root = tree.add_root("t/", 1);
  const NodeId a = tree.add_child(root, "a", 2);
  tree.set_order(a);
  tree.set_order(root);
  tree.set_order(a);
  CHECK(tree.order(a) == 1);
  CHECK(tree.order(root) == 2);
  tree.remove(a);
  const NodeId b = tree.add_child(root, "b", 3);
  tree.set_order(b);
  CHECK(tree.order(b) == 3);
}

TEST_CASE("a sweep tells what was seen since it began") {
  WatchTree tree;
  const NodeId root = tree.add_root("t/", 1);
  const NodeId seen = tree.add_child(root, "seen", 2);
  const NodeId unseen = tree.add_child(root, "unseen", 3);
  tree.begin_sweep();
  tree.set_swept(seen);
  const NodeId later = tree.add_child(root, "later", 4);
  CHECK(tree.swept(seen));
  CHECK(tree.swept(later));
  CHECK_FALSE(tree.swept(unseen));
  CHECK_FALSE(tree.swept(root));
}

namespace {

// What the tree is meant to be, kept the plain way.
struct Model {
  struct Directory {
    int parent;  // watch of the parent, 0: the root
    std::string name;
  };
  std::map<int, Directory> directories;

  std::string path(int watch) const {
    if (watch == 0) return "r/";
    const Directory& d = directories.at(watch);
    std::string above = path(d.parent);
    above.append(d.name).push_back('/');
    return above;
  }
  bool below(int watch, int ancestor) const {
    while (watch != 0 && watch != ancestor) watch = directories.at(watch).parent;
    return watch == ancestor;
  }
  bool has_children(int watch) const {
    for (const auto& [w, d] : directories) {
      if (d.parent == watch) return true;
    }
    return false;
  }
};

}  // namespace

TEST_CASE("random births, renames and deaths agree with a plain model") {
  for (unsigned seed = 1; seed <= 20; ++seed) {
    std::mt19937 random(seed);
    WatchTree tree;
    tree.add_root("r/", 0);
    Model model;
    int next_watch = 1;
    const auto any = [&]() -> int {
      if (model.directories.empty()) return 0;
      auto it = model.directories.begin();
      std::advance(it, static_cast<long>(random() % model.directories.size()));
      return it->first;
    };
    for (int step = 0; step < 1500; ++step) {
      const std::string name(1 + random() % 40, static_cast<char>('a' + random() % 3));
      const int parent = random() % 8 == 0 ? 0 : any();
      const bool free = tree.child(tree.by_watch(parent), name) == no_node;
      const auto what = random() % 10;
      if (what < 6 && free) {
        tree.add_child(tree.by_watch(parent), name, next_watch);
        model.directories[next_watch++] = {parent, name};
      } else if (what < 8 && free) {
        const int moved = any();
        if (moved == 0 || model.below(parent, moved)) continue;
        tree.relink(tree.by_watch(moved), tree.by_watch(parent), name);
        model.directories[moved] = {parent, name};
      } else {
        const int gone = any();
        if (gone == 0 || model.has_children(gone)) continue;
        tree.remove(tree.by_watch(gone));
        model.directories.erase(gone);
      }
    }
    REQUIRE(tree.size() == model.directories.size() + 1);
    for (const auto& [watch, directory] : model.directories) {
      const NodeId node = tree.by_watch(watch);
      REQUIRE(node != no_node);
      REQUIRE(tree.path(node) == model.path(watch));
      REQUIRE(tree.child(tree.by_watch(directory.parent), directory.name) == node);
    }
  }
}

TEST_CASE("a directory and all below it are visited one after the other") {
  WatchTree tree;
  const NodeId root = tree.add_root("t/", 1);
  const NodeId a = tree.add_child(root, "a", 2);
  tree.add_child(root, "beside", 3);
  const NodeId b = tree.add_child(a, "b", 4);
  const NodeId c = tree.add_child(b, "c", 5);
  const NodeId d = tree.add_child(a, "d", 6);
  std::vector<NodeId> visited;
  for (NodeId node = a; node != no_node; node = tree.next_below(node, a)) visited.push_back(node);
  CHECK(visited == std::vector<NodeId>{a, d, b, c});
  CHECK(tree.next_below(c, c) == no_node);
}
