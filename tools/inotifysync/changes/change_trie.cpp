// SPDX-License-Identifier: GPL-2.0-or-later
// The trie below ChangeSet: names in one string, entries in one vector, children found by hashing. What the
// marks mean is in change_set.cpp.
#include <algorithm>
#include <utility>

#include "inotifysync/changes/change_set.hpp"
#include "inotifysync/changes/path_names.hpp"

namespace inotifysync {
namespace {

constexpr std::size_t worth_compacting = 64 * 1024;

std::uint32_t hash_of(std::uint32_t parent, std::string_view name) {
  std::uint64_t hash = 0xcbf29ce484222325ULL ^ parent;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  hash ^= hash >> 29;
  hash *= 0xbf58476d1ce4e5b9ULL;
  return static_cast<std::uint32_t>(hash >> 32);
}

}  // namespace

// ---- names and slots ----

std::string_view ChangeSet::name_of(Index index) const {
  return std::string_view(names_).substr(entries_[index].name, entries_[index].length);
}

std::string ChangeSet::path_of(Index index) const {
  std::vector<Index> chain;
  for (; index != 0; index = entries_[index].parent) chain.push_back(index);
  std::string path;
  for (auto at = chain.rbegin(); at != chain.rend(); ++at) {
    if (!path.empty()) path += '/';
    path += name_of(*at);
  }
  return path;
}

std::size_t ChangeSet::slot_of(Index index) const {
  std::size_t slot = entries_[index].hash & (table_.size() - 1);
  while (table_[slot] != index) slot = (slot + 1) & (table_.size() - 1);
  return slot;
}

void ChangeSet::insert_slot(Index index) {
  if (live_ * 5 >= table_.size() * 3) rehash(std::max<std::size_t>(16, table_.size() * 2));
  std::size_t slot = entries_[index].hash & (table_.size() - 1);
  while (table_[slot] != none) slot = (slot + 1) & (table_.size() - 1);
  table_[slot] = index;
  ++live_;
}

// Linear probing without tombstones: what follows in the run moves up where it may.
void ChangeSet::erase_slot(Index index) {
  const std::size_t mask = table_.size() - 1;
  std::size_t hole = slot_of(index);
  for (std::size_t at = (hole + 1) & mask; table_[at] != none; at = (at + 1) & mask) {
    const std::size_t home = entries_[table_[at]].hash & mask;
    if (((at - home) & mask) < ((at - hole) & mask)) continue;
    table_[hole] = table_[at];
    hole = at;
  }
  table_[hole] = none;
  --live_;
}

void ChangeSet::rehash(std::size_t slots) {
  const std::vector<Index> old = std::exchange(table_, std::vector<Index>(slots, none));
  for (const Index index : old) {
    if (index == none) continue;
    std::size_t slot = entries_[index].hash & (slots - 1);
    while (table_[slot] != none) slot = (slot + 1) & (slots - 1);
    table_[slot] = index;
  }
}

void ChangeSet::compact_names() {
  if (dead_name_bytes_ < worth_compacting || dead_name_bytes_ * 2 < names_.size()) return;
  std::string kept;
  kept.reserve(names_.size() - dead_name_bytes_);
  for (Index at = 1; at < entries_.size(); ++at) {
    if (!entries_[at].alive) continue;
    const std::string_view name = name_of(at);
    entries_[at].name = static_cast<std::uint32_t>(kept.size());
    kept += name;
  }
  names_ = std::move(kept);
  dead_name_bytes_ = 0;
}

// ---- the tree ----

ChangeSet::Index ChangeSet::find_child(Index parent, std::string_view name) const {
  if (table_.empty()) return none;
  const std::uint32_t hash = hash_of(parent, name);
  for (std::size_t slot = hash & (table_.size() - 1); table_[slot] != none;
       slot = (slot + 1) & (table_.size() - 1)) {
    const Entry& entry = entries_[table_[slot]];
    if (entry.hash == hash && entry.parent == parent && name_of(table_[slot]) == name) return table_[slot];
  }
  return none;
}

ChangeSet::Index ChangeSet::find(std::string_view path) const {
  Index at = 0;
  for (std::string_view name = next_name(path); !name.empty() && at != none; name = next_name(path)) {
    at = find_child(at, name);
  }
  return at;
}

void ChangeSet::link(Index child, Index parent) {
  Entry& entry = entries_[child];
  Entry& above = entries_[parent];
  entry.parent = parent;
  entry.previous = above.last_child;
  entry.next = none;
  (above.last_child == none ? above.first_child : entries_[above.last_child].next) = child;
  above.last_child = child;
  ++above.children;
}

void ChangeSet::unlink(Index child) {
  Entry& entry = entries_[child];
  Entry& above = entries_[entry.parent];
  (entry.previous == none ? above.first_child : entries_[entry.previous].next) = entry.next;
  (entry.next == none ? above.last_child : entries_[entry.next].previous) = entry.previous;
  --above.children;
}

ChangeSet::Index ChangeSet::add_child(Index parent, std::string_view name) {
  Index index = free_;
  if (index != none) {
    free_ = entries_[index].next;
    entries_[index] = Entry{};
  } else {
    index = static_cast<Index>(entries_.size());
    entries_.emplace_back();
  }
  Entry& entry = entries_[index];
  entry.name = static_cast<std::uint32_t>(names_.size());
  entry.length = static_cast<std::uint16_t>(name.size());
  entry.hash = hash_of(parent, name);
  names_ += name;
  link(index, parent);
  insert_slot(index);
  return index;
}

// Gives the entry itself back; it must be unlinked and childless, or its whole tree must be going.
void ChangeSet::release(Index index) {
  set_dirt(index, 0);
  set_origin(index, {});
  erase_slot(index);
  dead_name_bytes_ += entries_[index].length;
  entries_[index].alive = false;
  entries_[index].next = free_;
  free_ = index;
}

void ChangeSet::drop_children(Index index) {
  std::vector<Index> going;
  for (Index at = entries_[index].first_child; at != none; at = entries_[at].next) going.push_back(at);
  for (std::size_t i = 0; i < going.size(); ++i) {
    for (Index at = entries_[going[i]].first_child; at != none; at = entries_[at].next) going.push_back(at);
  }
  for (const Index at : going) release(at);
  Entry& entry = entries_[index];
  entry.first_child = entry.last_child = none;
  entry.children = 0;
  compact_names();
}

void ChangeSet::drop(Index index) {
  drop_children(index);
  set_dirt(index, 0);
  set_origin(index, {});
  prune(index);
}

void ChangeSet::prune(Index index) {
  while (index != 0 && entries_[index].dirt == 0 && entries_[index].children == 0) {
    const Index above = entries_[index].parent;
    unlink(index);
    release(index);
    index = above;
  }
}

void ChangeSet::set_dirt(Index index, Dirt dirt) {
  Entry& entry = entries_[index];
  if (entry.dirt == 0 && dirt != 0) ++marked_;
  if (entry.dirt != 0 && dirt == 0) --marked_;
  entry.dirt = dirt;
}

void ChangeSet::set_origin(Index index, std::string origin) {
  if (origin.empty()) {
    if (std::exchange(entries_[index].moved, false)) moved_from_.erase(index);
    return;
  }
  entries_[index].moved = true;
  moved_from_[index] = std::move(origin);
}

// The entry for `path`, made where it is not there; none where a whole ancestor says it all already, which
// then takes note that content is among it.
ChangeSet::Index ChangeSet::reach(std::string_view path, Dirt dirt) {
  Index at = 0;
  for (std::string_view name = next_name(path); !name.empty(); name = next_name(path)) {
    if (entries_[at].dirt & dirt::subtree) {
      if (dirt & (dirt::content | dirt::created)) entries_[at].dirt |= dirt::content;
      entries_[at].dirt |= dirt & dirt::doubtful;
      return none;
    }
    const Index child = find_child(at, name);
    at = child != none ? child : add_child(at, name);
  }
  return at;
}

}  // namespace inotifysync
