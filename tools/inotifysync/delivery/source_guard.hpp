// SPDX-License-Identifier: GPL-2.0-or-later
// Is the source still the one we were told to copy? A source that is gone, unmounted or replaced looks like
// one in which everything was deleted; nothing may be deleted on any target on such evidence. Pure: the facts
// are given.
#pragma once

#include <cstdint>
#include <string_view>

namespace inotifysync {

// What stands at the source's path at one moment.
struct SourceFacts {
  bool is_directory = false;  // false: nothing there, no directory, or `error`
  int error = 0;              // the errno of opening it, where that says no word of what is there
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  bool is_mount_root = false;
  std::int64_t filesystem_type = 0;  // f_type of statfs(2)
  bool is_empty = false;
};

enum class SourceVerdict {
  trusted,    // the same directory, or the same filesystem mounted again: may be copied
  missing,    // no directory there
  unseen,     // it could not be opened, so nobody knows
  unmounted,  // an empty directory stands in its place
  replaced,   // another directory with something in it stands in its place
};

class SourceGuard {
 public:
  explicit SourceGuard(const SourceFacts& at_start) : known_(at_start) {}

  // A filesystem mounted again becomes the known one; so does whatever comes over a source that was empty at
  // start, and that again if it comes back.
  SourceVerdict judge(const SourceFacts& now);

  // Is it the directory that was trusted last?
  bool knows(const SourceFacts& now) const;

  // A full pass over an empty source would empty the targets: at boot the source may not be mounted yet.
  static bool may_delete_in_full_pass(const SourceFacts& now) { return now.is_directory && !now.is_empty; }

 private:
  bool is_same_come_back(const SourceFacts& now) const;
  bool has_returned(const SourceFacts& now) const;

  SourceFacts known_;
  SourceFacts gave_way_;  // the one before, where that was empty and something was moved to its place
};

// For people: "the source is gone".
std::string_view words(SourceVerdict verdict);

}  // namespace inotifysync
