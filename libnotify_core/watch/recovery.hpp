// SPDX-License-Identifier: GPL-2.0-or-later
// What listing a newborn directory found, until it is known whether the kernel queued its CREATE. Pure data.
//
// A directory is watched, then listed. An entry made in between is in the listing and in the queue: the
// kernel's event takes the place of the recovered one. An entry made before is only in the listing. Which it
// was is known when something else is said of the entry, or when the queue has been read past the moment of
// the listing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "notify_core/event.hpp"
#include "watch/watch_tree.hpp"

namespace notify_core::watch {

struct Found {
  int watch = -1;  // of the directory it was found in: unlike a node's number, never used again
  std::string name;
  bool directory = false;
};

class Recovery {
 public:
  explicit Recovery(const WatchTree& tree) : tree_(tree) {}

  bool idle() const { return found_.empty(); }
  // Has it something to report that the queue may still take the place of?
  bool waits() const { return drained_ < mark(); }
  // How many entries were ever added: what a later drained() may be about.
  std::uint64_t mark() const { return forgotten_ + found_.size(); }
  void add(int watch, std::string_view name, bool directory);
  // Lately, and it has not left since.
  bool has_reported(int watch, std::string_view name) const;

  enum class Verdict { report, already_reported };
  // The kernel says `mask` of (`node`, `name`). Appends to `due` what must be reported before that, parents
  // first. already_reported: this CREATE was recovered before the kernel came round to queueing it.
  Verdict heard(NodeId node, std::string_view name, EventMask mask, std::vector<Found>& due);

  // The queue has been read past the moment when mark() was `mark`: appends what is still open of the entries
  // before it to `due`.
  void drained(std::uint64_t mark, std::vector<Found>& due);
  // This directory left the tree, and all below it. They may come back under the same watches, and be another
  // story. Returns the watches of those in which something was that is not going to be reported now.
  std::unordered_set<int> forget(NodeId top);
  // What was reported is remembered for a while, for events that the kernel queues late: from one call of
  // this until the next but one.
  void forget_old();

 private:
  enum class State : unsigned char { open, reported, settled };
  struct Entry {
    Found found;
    State state = State::open;
    Entry* next = nullptr;  // of those in the same directory that are not settled
    Entry* previous = nullptr;
  };
  struct Key {
    int watch;
    std::string_view name;  // lies in the entry
    bool operator==(const Key&) const = default;
  };
  struct KeyHash {
    std::size_t operator()(const Key& key) const {
      return std::hash<std::string_view>{}(key.name) ^
             (static_cast<std::size_t>(key.watch) * 0x9e3779b97f4a7c15);
    }
  };

  Entry* lookup(int watch, std::string_view name) const;
  void report_with_parents(NodeId node, std::vector<Found>& due);
  void settle(Entry& entry);
  void settle_all_in(int watch, std::unordered_set<int>& open);

  const WatchTree& tree_;
  std::deque<Entry> found_;      // in the order of listing: parents before children
  std::uint64_t forgotten_ = 0;  // entries that were taken from its front
  std::uint64_t drained_ = 0;    // no entry before this mark is open
  std::uint64_t old_ = 0;        // entries before this mark go at the next forget_old()
  std::unordered_map<Key, Entry*, KeyHash> index_;
  std::unordered_map<int, Entry*> by_directory_;  // the first of them
};

}  // namespace notify_core::watch
