// SPDX-License-Identifier: GPL-2.0-or-later
// Directories that were made lately, and for how long nobody heard what left them: from when they were made
// to when they were watched. What was made in that time may have been made in one of them, and come out
// unheard. Pure data; times in nanoseconds since 1970.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <string_view>
#include <unordered_set>
#include <utility>

namespace notify_core::watch {

class Births {
 public:
  // This one was watched and listed by `until`.
  void add(std::uint64_t inode, std::int64_t birth, std::int64_t until) { keep({inode, birth, until}); }
  // The same, of one that does not tell when it was made.
  void add() { lately_ = true; }
  // One that was gone when it was to be watched, at `now`. It was not made before this, as far as is known.
  void miss(std::int64_t not_before, std::int64_t now) { keep({0, not_before, now + in_no_time}); }

  // It was taken for one that was born.
  void forget(std::uint64_t inode, std::int64_t birth) {
    std::erase_if(births_, [&](const Birth& one) { return one.inode == inode && one.from == birth; });
  }

  // Since the first of those that were kept, if not before, directories stand unwatched at `now`.
  void leave_open(std::int64_t now) {
    if (open_since_ == 0) open_since_ = births_.empty() ? now - long_ago : births_.front().from;
  }

  // Is this one that may have been made unheard? Not if it was added.
  bool may_hide(std::uint64_t inode, std::int64_t birth) const {
    bool found = open_since_ != 0 && open_since_ <= birth;
    for (const Birth& one : births_) {
      if (one.inode == inode && one.from == birth) return false;
      found |= one.from <= birth && birth <= one.until;
    }
    return found;
  }

  // Were there any since the last read but one that emptied the queue? Else nothing that is read now could
  // have been done unheard.
  bool lately() const { return lately_ || before_; }
  // What was watched by this left for no place that is watched. That may be one of those.
  void hide(int watch) {
    if (hidden_.size() == most_kept) hidden_.clear();
    if (lately()) hidden_.insert(watch);
  }
  bool hidden(int watch) const { return hidden_.contains(watch); }
  void forget_hidden() { hidden_.clear(); }

  // The queue was empty at `now`. Of what was made long before nothing comes out any more; nor of what hid,
  // where there is nothing more to be looked for.
  void drained(std::int64_t now, bool all_found, bool all_opened) {
    before_ = std::exchange(lately_, false);
    if (open_since_ != 0 && all_found && all_opened) keep({0, std::exchange(open_since_, 0), now});
    if (!lately() && all_found) hidden_.clear();
    const auto is_over = [now](const Birth& one) {  // or the clock was set back since
      return one.until < now - long_ago || one.until > now + long_ago;
    };
    while (!births_.empty() && is_over(births_.front())) births_.pop_front();
  }
  bool empty() const { return births_.empty() && !lately() && hidden_.empty() && open_since_ == 0; }

  static constexpr std::int64_t in_no_time = 20'000'000;  // some ticks of the clock of a filesystem
  static constexpr std::int64_t long_ago = 2'000'000'000;

 private:
  static constexpr std::size_t most_kept = 4096;
  struct Birth {
    std::uint64_t inode;  // 0: not known
    std::int64_t from, until;
  };
  void keep(const Birth& birth) {
    lately_ = true;
    births_.push_back(birth);
    if (births_.size() > most_kept) births_.pop_front();
  }

  std::deque<Birth> births_;
  bool lately_ = false, before_ = false;
  std::int64_t open_since_ = 0;  // 0: all are watched, as far as is known
  std::unordered_set<int> hidden_;
};

// Names that are going to leave their directories, or have just done so, as far as the queue was read.
class Departures {
 public:
  // What is unread now, after so many reads, is to be gone through: it is not known yet.
  bool begin(std::uint64_t reads) {
    if (reads == reads_) return false;
    reads_ = reads;
    names_.clear();
    return true;
  }
  void add(int watch, std::string_view name) { names_.insert(key(watch, name)); }
  bool contains(int watch, std::string_view name) const { return names_.contains(key(watch, name)); }

 private:
  static std::size_t key(int watch, std::string_view name) {
    constexpr std::size_t spread = 0x9e3779b97f4a7c15;
    return std::hash<std::string_view>()(name) ^ static_cast<std::size_t>(watch) * spread;
  }

  std::uint64_t reads_ = 0;
  std::unordered_set<std::size_t> names_;
};

}  // namespace notify_core::watch
