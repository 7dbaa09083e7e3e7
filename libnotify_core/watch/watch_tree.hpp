// SPDX-License-Identifier: GPL-2.0-or-later
// Which path is a watch now? A node holds a name and a parent, nothing more of its path: a renamed directory
// relinks one edge, however much lies below it. Pure data: no system call is made here.
//
// 32 bytes a node, two hash tables of 4-byte slots (by watch descriptor, by parent and name: the second only
// once it is asked), and the name.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "watch/id_table.hpp"
#include "watch/name_arena.hpp"

namespace notify_core::watch {

using NodeId = std::uint32_t;
inline constexpr NodeId no_node = IdTable::none;

class WatchTree {
 public:
  // A root keeps the path it was given, whatever happens to it: `path` is what is printed (a directory's ends
  // in
  // '/', so that names can follow).
  NodeId add_root(std::string_view path, int watch);
  // A directory `name` in `parent`. Neither the watch nor the place may be taken.
  NodeId add_child(NodeId parent, std::string_view name, int watch);

  // A root turns out to be the directory `name` in `parent`, and becomes its child.
  void adopt(NodeId root, NodeId parent, std::string_view name);
  // Moves the node, and with it all below, to a new parent and name. The place must be free (or its
  // node replaced), and not below `node`.
  void relink(NodeId node, NodeId parent, std::string_view name);
  // A root that is now reached by another path.
  void set_root_path(NodeId root, std::string_view path) { root_paths_[at(root).name] = path, ++generation_; }
  // Takes out a node without children.
  void remove(NodeId node);

  // A node about to vanish whose place was taken by a rename: it keeps its path until its last events are
  // read, but child() no longer finds it.
  void set_replaced(NodeId node) { at(node).replaced = true; }
  // The same, and nobody will ask for it by its place: any number of them may have had one place.
  void set_placeless(NodeId node);

  // by_watch() and child() need an index, which is made when they are first asked for, or here: to set up
  // watches nobody asks.
  void index() {
    if (watches_indexed_ != used_) index_watches();
    if (!indexed_) index_all();
  }

  NodeId by_watch(int watch) const { return watch == recent_.watch ? recent_.node : look_up(watch); }
  int highest_watch() const { return highest_watch_; }  // that there ever was; -1: none
  NodeId child(NodeId parent, std::string_view name) const { return find_at(parent, name, false); }

  // The queue has said that the node came to its place, which relink() has given it.
  void set_arrived(NodeId node) { at(node).arrived = true; }
  bool has_arrived(NodeId node) const { return at(node).arrived; }
  // The queue has come to where the node was watched already: an event in it was read.
  void set_heard(NodeId node) { at(node).heard = true; }
  bool was_heard(NodeId node) const { return at(node).heard; }
  // Its link count said that there is no directory in it, so it was not listed.
  void set_unlisted(NodeId node) { at(node).unlisted = true; }
  bool is_unlisted(NodeId node) const { return at(node).unlisted; }

  // Of those that were replaced in this place; no_node: none.
  NodeId replaced_child(NodeId parent, std::string_view name) const { return find_at(parent, name, true); }

  bool is_root(NodeId node) const { return at(node).parent == no_node; }
  NodeId parent(NodeId node) const { return at(node).parent; }
  NodeId first_child(NodeId node) const { return at(node).first_child; }
  NodeId next_sibling(NodeId node) const { return at(node).next; }
  int watch(NodeId node) const { return at(node).watch; }
  std::string_view name(NodeId node) const;  // of a root: its path
  // `top`, and then one after the other all that is below it; no_node at the end.
  NodeId next_below(NodeId node, NodeId top) const;
  bool is_below(NodeId node, NodeId ancestor) const;  // also true of the ancestor itself

  // Position in the order of watching; given once all below the node is watched. 0: not yet.
  std::uint32_t order(NodeId node) const { return node == recent_.node ? recent_.order : at(node).order; }
  void set_order(NodeId node) {
    if (at(node).order == 0) at(node).order = ++last_order_;
    if (node == recent_.node) recent_.order = at(node).order;
  }
  std::uint32_t last_order() const { return last_order_; }

  // Marks for one sweep over the tree: after begin_sweep() no node is swept but those added later.
  void begin_sweep() { sweep_ = !sweep_; }
  bool swept(NodeId node) const { return at(node).sweep == sweep_; }
  void set_swept(NodeId node) { at(node).sweep = sweep_; }

  // The path as printed, ending in '/' for every child. Valid until the next call of path() or a change.
  std::string_view path(NodeId node) const {
    if (node != last_path_.node || generation_ != last_path_.generation) {
      last_path_ = {node, generation_, find_path(node)};
    }
    return last_path_.path;
  }

  std::size_t size() const { return count_; }
  const std::vector<NodeId>& roots() const { return roots_; }
  // Visits every node; `visit` may not change the tree.
  template <class Visit>
  void for_each(Visit visit) const {
    for (NodeId id = 0; id < used_; ++id) {
      if (at(id).watch != free_watch) visit(id);
    }
  }

 private:
  static constexpr int free_watch = -1;
  static constexpr std::size_t chunk_size = 2048;
  static constexpr std::size_t cache_size = 256;

  struct Node {
    NodeId parent = no_node;
    NodeId first_child = no_node;
    NodeId next = no_node;  // sibling; of a free node: the next free one
    NodeId previous = no_node;
    std::uint32_t name = 0;  // place in the arena; of a root: index of root_paths_
    std::int32_t watch = free_watch;
    std::uint32_t order = 0;
    std::uint8_t name_length = 0;
    bool sweep : 1 = false;
    bool replaced : 1 = false;
    bool placeless : 1 = false;
    bool arrived : 1 = false;
    bool unlisted : 1 = false;
    bool heard : 1 = false;
  };
  static_assert(sizeof(Node) == 32);

  struct CachedPath {
    NodeId node = no_node;
    std::uint64_t generation = 0;
    std::string path;
  };

  Node& at(NodeId id) { return chunks_[id / chunk_size][id % chunk_size]; }
  const Node& at(NodeId id) const { return chunks_[id / chunk_size][id % chunk_size]; }
  NodeId look_up(int watch) const;
  NodeId find_at(NodeId parent, std::string_view name, bool replaced) const;
  void index_all() const;
  void index_watches() const;
  void note_watch(NodeId id);
  NodeId take_node(int watch);
  void link(NodeId id, NodeId parent, std::string_view name);
  void unlink(NodeId id);
  void unlink_root(NodeId id);
  std::uint32_t hash_of_watch(NodeId id) const { return static_cast<std::uint32_t>(at(id).watch); }
  std::uint32_t hash_of_place(NodeId id) const { return place_hash(at(id).parent, name(id)); }
  static std::uint32_t place_hash(NodeId parent, std::string_view name);
  std::string_view find_path(NodeId id) const;
  void build_path(NodeId id, std::string& out) const;

  // From a watch to its path. An event is mostly of the same directory as the one before, of which all that
  // is asked is here, and neither the table nor the node is looked at.
  mutable struct {
    int watch = free_watch;
    NodeId node = no_node;
    std::uint32_t order = 0;
  } recent_;
  int highest_watch_ = free_watch;
  NodeId used_ = 0;
  mutable NodeId watches_indexed_ = 0;  // by_watch_ has the nodes before this one
  mutable IdTable by_watch_;
  std::vector<std::unique_ptr<Node[]>> chunks_;
  std::vector<std::string> root_paths_;
  std::uint64_t generation_ = 1;  // grows when a path that was built may no longer be true
  mutable struct {
    NodeId node = no_node;
    std::uint64_t generation = 0;
    std::string_view path;
  } last_path_;
  mutable std::vector<CachedPath> cache_;  // once it is used

  NodeId free_ = no_node;
  std::size_t count_ = 0;
  NameArena names_;
  std::vector<NodeId> roots_;
  mutable IdTable by_place_;
  mutable bool indexed_ = false;  // by_place_ has every node
  std::uint32_t last_order_ = 0;
  bool sweep_ = false;
};

}  // namespace notify_core::watch
