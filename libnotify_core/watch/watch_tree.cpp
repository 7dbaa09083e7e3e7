// SPDX-License-Identifier: GPL-2.0-or-later
#include "watch/watch_tree.hpp"

#include <algorithm>
#include <functional>

namespace notify_core::watch {

std::uint32_t WatchTree::place_hash(NodeId parent, std::string_view name) {
  const std::size_t hash = std::hash<std::string_view>{}(name) + parent * std::size_t{0x9e3779b97f4a7c15};
  return static_cast<std::uint32_t>(hash ^ (hash >> 32));
}

NodeId WatchTree::take_node(int watch) {
  NodeId id = free_;
  if (id != no_node) {
    free_ = at(id).next;
  } else {
    id = used_++;
    if (id / chunk_size == chunks_.size()) chunks_.push_back(std::make_unique<Node[]>(chunk_size));
  }
  at(id) = Node{};
  at(id).watch = watch;
  at(id).sweep = sweep_;
  ++count_;
  return id;
}

// A node's first watch is left to index_watches(), which puts many into the table faster than one at a time.
void WatchTree::note_watch(NodeId id) {
  highest_watch_ = std::max(highest_watch_, at(id).watch);
  if (id < watches_indexed_) by_watch_.insert(id, [this](NodeId n) { return hash_of_watch(n); });
}

[[gnu::hot]] NodeId WatchTree::look_up(int watch) const {
  if (watch > highest_watch_) return no_node;  // the kernel gives new watches ever higher numbers
  if (watches_indexed_ != used_) index_watches();
  const NodeId node =
      by_watch_.find(static_cast<std::uint32_t>(watch), [&](NodeId id) { return at(id).watch == watch; });
  if (node != no_node) recent_ = {watch, node, at(node).order};
  return node;
}

void WatchTree::index_watches() const {
  if (watches_indexed_ == 0) by_watch_.reserve(used_);
  for (NodeId id = watches_indexed_; id < used_; ++id) {
    by_watch_.insert(id, [this](NodeId n) { return hash_of_watch(n); });
  }
  watches_indexed_ = used_;
}

NodeId WatchTree::add_root(std::string_view path, int watch) {
  const NodeId id = take_node(watch);
  at(id).name = static_cast<std::uint32_t>(root_paths_.size());
  root_paths_.emplace_back(path);
  ++generation_;  // the others may lie elsewhere now
  roots_.push_back(id);
  note_watch(id);
  return id;
}

NodeId WatchTree::add_child(NodeId parent, std::string_view name, int watch) {
  const NodeId id = take_node(watch);
  link(id, parent, name);
  note_watch(id);
  return id;
}

void WatchTree::link(NodeId id, NodeId parent, std::string_view name) {
  Node& node = at(id);
  node.parent = parent;
  node.name = names_.store(name);
  node.name_length = static_cast<std::uint8_t>(name.size());
  node.previous = no_node;
  node.next = at(parent).first_child;
  if (node.next != no_node) at(node.next).previous = id;
  at(parent).first_child = id;
  if (indexed_) by_place_.insert(id, [this](NodeId n) { return hash_of_place(n); });
}

void WatchTree::unlink(NodeId id) {
  if (indexed_ && !at(id).placeless) by_place_.erase(id, [this](NodeId n) { return hash_of_place(n); });
  Node& node = at(id);
  if (node.previous != no_node) {
    at(node.previous).next = node.next;
  } else {
    at(node.parent).first_child = node.next;
  }
  if (node.next != no_node) at(node.next).previous = node.previous;
  names_.release(node.name, node.name_length);
  ++generation_;
}

void WatchTree::set_placeless(NodeId node) {
  if (at(node).placeless || is_root(node)) return;
  if (indexed_) by_place_.erase(node, [this](NodeId n) { return hash_of_place(n); });
  at(node).replaced = at(node).placeless = true;
}

void WatchTree::relink(NodeId node, NodeId parent, std::string_view name) {
  const std::string kept(name);  // `name` may be a view of the place that is given up
  unlink(node);
  at(node).replaced = at(node).placeless = at(node).arrived = false;
  link(node, parent, kept);
}

void WatchTree::adopt(NodeId root, NodeId parent, std::string_view name) {
  unlink_root(root);
  link(root, parent, name);
}

void WatchTree::unlink_root(NodeId id) {
  root_paths_[at(id).name].clear();
  roots_.erase(std::find(roots_.begin(), roots_.end(), id));
  ++generation_;
}

void WatchTree::remove(NodeId id) {
  if (watches_indexed_ != used_) index_watches();
  by_watch_.erase(id, [this](NodeId n) { return hash_of_watch(n); });
  if (id == recent_.node) recent_ = {};
  if (is_root(id)) {
    unlink_root(id);
  } else {
    unlink(id);
  }
  at(id) = Node{};
  at(id).next = free_;
  free_ = id;
  --count_;
}

void WatchTree::index_all() const {
  by_place_.reserve(count_);
  for_each([this](NodeId id) {
    if (!is_root(id) && !at(id).placeless)
      by_place_.insert(id, [this](NodeId n) { return hash_of_place(n); });
  });
  indexed_ = true;
}

NodeId WatchTree::find_at(NodeId parent, std::string_view name, bool replaced) const {
  if (!indexed_) index_all();
  return by_place_.find(place_hash(parent, name), [&](NodeId id) {
    const Node& node = at(id);
    return node.parent == parent && node.replaced == replaced && this->name(id) == name;
  });
}

std::string_view WatchTree::name(NodeId id) const {
  const Node& node = at(id);
  if (node.parent == no_node) return root_paths_[node.name];
  return names_.view(node.name, node.name_length);
}

bool WatchTree::is_below(NodeId node, NodeId ancestor) const {
  while (node != no_node && node != ancestor) node = at(node).parent;
  return node == ancestor;
}

NodeId WatchTree::next_below(NodeId node, NodeId top) const {
  if (at(node).first_child != no_node) return at(node).first_child;
  while (node != top && at(node).next == no_node) node = at(node).parent;
  return node == top ? no_node : at(node).next;
}

void WatchTree::build_path(NodeId id, std::string& out) const {
  std::size_t length = 0;
  NodeId top = id;
  for (; !is_root(top); top = at(top).parent) length += at(top).name_length + std::size_t{1};
  out = root_paths_[at(top).name];
  out.resize(out.size() + length);
  char* end = out.data() + out.size();
  for (NodeId n = id; n != top; n = at(n).parent) {
    const std::string_view part = name(n);
    *--end = '/';
    end -= part.size();
    std::copy(part.begin(), part.end(), end);
  }
}

[[gnu::hot]] std::string_view WatchTree::find_path(NodeId id) const {
  if (is_root(id)) return root_paths_[at(id).name];
  if (cache_.empty()) cache_.resize(cache_size);
  CachedPath& cached = cache_[id % cache_size];
  if (cached.node != id || cached.generation != generation_) {
    build_path(id, cached.path);
    cached.node = id;
    cached.generation = generation_;
  }
  return cached.path;
}

}  // namespace notify_core::watch
