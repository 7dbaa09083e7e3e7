// SPDX-License-Identifier: GPL-2.0-or-later
// What differs between the source and a target, as far as events told: a trie of names with dirty bits. Pure:
// no clock, no I/O. Paths are relative to the source, without a leading or trailing '/'; "" is the source
// itself. A path with a "." or ".." in it is ignored.
//
// - A path marked whole (dirt::subtree) absorbs everything below it.
// - A rename carries the dirt below the old name over to the new one, which remembers where the target still
// has it.
// - Memory is bounded: beyond `max_nodes` names the directories with the most dirty children are marked whole
// until
//   half of the names are left. A name costs at most 64 bytes and twice its own length: 1,000,000 names of 16
//   bytes take under 100 MB.
// - A path of 4096 bytes and more, which no rsync could be told, marks the part that fits as whole.
// - There are no generation counters: a batch is planned from a set that was taken out, and what becomes
// dirty
//   meanwhile is marked in the next one. What the run did not confirm is merged back: `earlier.merge(later)`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace inotifysync {

using Dirt = std::uint16_t;
namespace dirt {
inline constexpr Dirt content = 1;     // bytes may differ, whatever size and time say
inline constexpr Dirt attributes = 2;  // owner, mode, times
inline constexpr Dirt created = 4;     // the name was born (or moved in): the target may lack it
inline constexpr Dirt gone = 8;  // the name was taken away, and the target may still have it; lstat decides
inline constexpr Dirt subtree = 16;  // everything below differs, too
inline constexpr Dirt stray =
    64;  // directly in this directory a target may have what was never in the source
inline constexpr Dirt unseen = 32;  // with gone: nobody told what was below it, it was moved out of sight
// With created: a run that reads whole trees may have met it before it was told of, so that a target has of
// it what is gone since.
inline constexpr Dirt doubtful = 128;
// With gone: a target may have more below it than was counted, for it was renamed, or was whole before.
inline constexpr Dirt uncounted = 256;

// Nothing was born or taken away: a target has it already, unless somebody else took it from there.
constexpr bool only_changed(Dirt dirt) {
  return (dirt & ~(content | attributes)) == 0;
}

// Whether events told all that a target loses with what is missing; what was only just born, it has not.
constexpr bool is_counted(Dirt dirt) {
  if (dirt & gone) return (dirt & unseen) == 0;
  return (dirt & created) && !(dirt & doubtful);
}
}  // namespace dirt

class ChangeSet {
 public:
  static constexpr std::size_t default_max_nodes = 1'000'000;
  explicit ChangeSet(std::size_t max_nodes = default_max_nodes);

  ChangeSet(ChangeSet&&) noexcept = default;
  ChangeSet& operator=(ChangeSet&&) noexcept = default;
  ChangeSet(const ChangeSet&) = default;  // dear: for tests and for views that part
  ChangeSet& operator=(const ChangeSet&) = default;

  void mark(std::string_view path, Dirt dirt);
  // `from` was renamed to `to`; whatever `to` was before is gone with that.
  void mark_moved(std::string_view from, std::string_view to);
  // Adds what happened after everything in this set.
  void merge(const ChangeSet& later);
  // Whatever was born in this set, a target may know already; given `may_know`, those paths of it.
  void doubt_births(const std::function<bool(std::string_view path)>& may_know = {});

  bool empty() const { return marked_ == 0; }
  std::size_t size() const { return marked_; }  // dirty paths
  void clear();

  // One dirty or inner path, for walking the trie. Valid until the set changes.
  class Node {
   public:
    std::string_view name() const;
    Dirt dirt() const;
    // Where the target still has what is here now; empty: nowhere. Only for renamed paths.
    std::string_view moved_from() const;
    bool has_children() const;
    // How many names are known to have been deleted here and below that a target may have.
    std::uint64_t deletions() const;
    // A target may have more of them than that.
    bool any_uncounted() const { return set_->any_uncounted(index_); }
    void for_each_child(const std::function<void(Node)>& visit) const;  // in order of marking

   private:
    friend class ChangeSet;
    Node(const ChangeSet* set, std::uint32_t index) : set_(set), index_(index) {}
    const ChangeSet* set_;
    std::uint32_t index_;
  };
  Node root() const { return {this, 0}; }
  // All dirty paths with their dirt, parents before children.
  void for_each(
      const std::function<void(std::string_view path, Dirt dirt, std::string_view moved_from)>& visit) const;
  // The dirt of exactly this path; what a whole ancestor implies is not counted.
  Dirt dirt_of(std::string_view path) const;

  std::size_t memory() const;  // bytes held

 private:
  using Index = std::uint32_t;
  static constexpr Index none = 0xffffffff;
  struct Entry {
    Index parent = none;
    Index first_child = none;
    Index last_child = none;
    Index next = none;       // sibling; the free list too
    Index previous = none;   // sibling
    std::uint32_t name = 0;  // offset into names_
    std::uint32_t hash = 0;
    std::uint32_t children = 0;
    std::uint32_t deletions = 0;  // of this name and of what was dropped with it
    std::uint16_t length = 0;
    Dirt dirt = 0;
    bool moved = false;  // moved_from_ has its origin
    bool alive = true;
  };

  struct Carried {      // dirt on its way from an old name to a new one
    std::string below;  // relative to the renamed path; empty: itself
    Dirt dirt = 0;
    std::string origin;
  };

  std::string_view name_of(Index index) const;
  std::string path_of(Index index) const;
  Index next_in_order(Index index, Index top, bool into_children) const;
  Index find_child(Index parent, std::string_view name) const;
  Index find(std::string_view path) const;
  Index reach(std::string_view path, Dirt dirt);
  Index add_child(Index parent, std::string_view name);
  void link(Index child, Index parent);
  void unlink(Index child);
  void release(Index index);
  void drop_children(Index index);
  std::uint64_t deletions_below(Index index) const;
  bool any_uncounted(Index top) const;
  void mark_gone(Index index, Dirt dirt, std::uint64_t deletions);
  void drop(Index index);
  void prune(Index index);
  void set_dirt(Index index, Dirt dirt);
  void set_origin(Index index, std::string origin);
  std::string origin_of(std::string_view path) const;
  std::vector<Carried> dirt_below(std::string_view path) const;
  void place_moved(std::string_view to, Dirt dirt, const std::string& origin,
                   const std::vector<Carried>& carried);
  void collapse();
  void compact_names();
  std::size_t slot_of(Index index) const;
  void insert_slot(Index index);
  void erase_slot(Index index);
  void rehash(std::size_t slots);

  std::size_t max_nodes_;
  std::size_t marked_ = 0;
  std::size_t live_ = 0;
  std::size_t dead_name_bytes_ = 0;
  Index free_ = none;
  std::vector<Entry> entries_;
  std::string names_;
  std::vector<Index> table_;  // open addressing over (parent, name)
  std::unordered_map<Index, std::string> moved_from_;
};

}  // namespace inotifysync
