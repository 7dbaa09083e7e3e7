// SPDX-License-Identifier: GPL-2.0-or-later
// Directories that were made lately, and for how long nobody heard what left them: from when they were made
// to when they were watched. What was made in that time may have been made in one of them, and come out
// unheard. Pure data; times in nanoseconds since 1970.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

namespace notify_core::watch {

class Births {
 public:
  // The queue told, which is read at `now`, of one that was made then.
  void hear(std::int64_t birth, std::int64_t now) {
    if (!births_.empty()) birth = std::min(births_.front().from, birth);
    storm_ = births_.empty() && is_storm(now) ? std::min(storm_, birth) : birth;
    heard_ = now;
  }
  // This one is watched and listed by `now`. It may be older than what was heard of, and have hidden; or only
  // be taken for a birth, for what was made in one that was heard of is not told apart from what comes from
  // outside in that moment: neither is to make the time any longer.
  void add(std::uint64_t inode, std::int64_t birth, std::int64_t now) {
    const std::int64_t from = std::max(birth, is_storm(now) ? storm_ : now - long_ago);
    keep({inode, birth, from, std::min(now, heard_ + a_while)});
  }
  // The same, of one that does not tell when it was made.
  void add() { lately_ = true; }
  // One that was gone when it was to be watched, at `now`. It was not made before this, as far as is known.
  void miss(std::int64_t not_before, std::int64_t now) {
    hear(not_before, now);
    keep({0, 0, not_before, now + in_no_time});
  }
  // Were there any such?
  bool any_missed() const {
    return std::any_of(births_.begin(), births_.end(), [](const Birth& one) { return one.inode == 0; });
  }

  // It was taken for one that was born.
  void forget(std::uint64_t inode, std::int64_t birth) {
    std::erase_if(births_, [&](const Birth& one) { return one.inode == inode && one.birth == birth; });
  }

  // Since the first of those that were kept, if not before, directories stand unwatched at `now`.
  void leave_open(std::int64_t now) {
    if (open_since_ == 0) open_since_ = births_.empty() ? now : births_.front().from;
  }

  // Is this one that may have been made unheard? Not if it was added.
  bool may_hide(std::uint64_t inode, std::int64_t birth) const {
    bool found = open_since_ != 0 && open_since_ <= birth;
    for (const Birth& one : births_) {
      if (one.inode == inode && one.birth == birth) return false;
      found |= one.from <= birth && birth <= one.until;
    }
    return found;
  }

  // Were there any since the last read but one that emptied the queue? Else nothing that is read now could
  // have been done unheard.
  bool lately() const { return lately_ || before_; }
  // What was watched by this left for no place that is watched. That may be one of those: the watch is kept,
  // so that it is known by that if it comes out again. False: there are none, or too many hide.
  bool hide(int watch) {
    return (lately() || open_since_ != 0) && hidden_.size() < most_kept && hidden_.insert(watch).second;
  }
  bool hidden(int watch) const { return hidden_.contains(watch); }
  bool anything_hides() const { return !hidden_.empty(); }
  // It has come out.
  bool found(int watch) { return hidden_.erase(watch) != 0; }
  // None of them is awaited any more.
  std::unordered_set<int> take_hidden() { return std::exchange(hidden_, {}); }

  // The queue was empty at `now`. Of what was made long before nothing comes out any more; nor does what hid,
  // where true is returned.
  bool drained(std::int64_t now, bool all_opened) {
    before_ = std::exchange(lately_, false);
    if (open_since_ != 0 && all_opened) keep({several, 0, std::exchange(open_since_, 0), now});
    const auto is_over = [now](const Birth& one) {  // or the clock was set back since
      return one.until < now - long_ago || one.until > now + long_ago;
    };
    while (!births_.empty() && is_over(births_.front())) births_.pop_front();
    return !lately() && all_opened;
  }
  bool empty() const { return births_.empty() && !lately() && hidden_.empty() && open_since_ == 0; }

  static constexpr std::int64_t in_no_time = 20'000'000;  // some ticks of the clock of a filesystem
  static constexpr std::int64_t a_while = 1'000'000'000;
  static constexpr std::int64_t long_ago = 2'000'000'000;

 private:
  static constexpr std::size_t most_kept = 4096;
  static constexpr std::uint64_t several = ~std::uint64_t{0};
  struct Birth {
    std::uint64_t inode;  // 0: it was missed
    std::int64_t birth;
    std::int64_t from, until;
  };
  bool is_storm(std::int64_t now) const {
    return !births_.empty() || (heard_ <= now && now - heard_ < a_while);
  }
  void keep(const Birth& birth) {
    lately_ = true;
    births_.push_back(birth);
    if (births_.size() > most_kept) births_.pop_front();
  }

  std::deque<Birth> births_;
  std::int64_t storm_ = 0;  // the first birth that was heard of and may matter still
  std::int64_t heard_ = 0;  // when the last one was
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
  void add(int watch, std::string_view name) { names_.push_back(key(watch, name)); }
  void end() { std::sort(names_.begin(), names_.end()); }
  bool contains(int watch, std::string_view name) const {
    return std::binary_search(names_.begin(), names_.end(), key(watch, name));
  }

 private:
  static std::size_t key(int watch, std::string_view name) {
    constexpr std::size_t spread = 0x9e3779b97f4a7c15;
    return std::hash<std::string_view>()(name) ^ static_cast<std::size_t>(watch) * spread;
  }

  std::uint64_t reads_ = 0;
  std::vector<std::size_t> names_;  // hashes; that two are the same does no harm
};

}  // namespace notify_core::watch
