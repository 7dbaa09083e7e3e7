// SPDX-License-Identifier: GPL-2.0-or-later
// What fanotify is asked for: the best there is, and what comes next where the kernel refuses that. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "notify_core/event.hpp"

namespace notify_core::backend {

enum class FanotifyScope {
  objects,      // a mark each directory or file
  filesystems,  // a mark each filesystem: every directory in which something happens has a number
};

// fanotify_init(2).
struct FanotifyGroup {
  bool unlimited = true;  // queue and marks; for root
  bool targets = true;    // each record says what it happened to, not only where; Linux 5.17
  unsigned flags() const;
};
// Nothing: there is no use in asking again. `status` is minus the errno.
std::optional<FanotifyGroup> next_best(FanotifyGroup refused, int status, FanotifyScope scope);

// Whether the end of a directory is told by DELETE_SELF, after the last word of it, and not by its removal
// alone: something of what is asked for can happen to a removed directory that somebody still holds open. Of
// a whole filesystem, it is a third record for each directory made and removed.
bool tells_ends(FanotifyScope scope, EventMask events);

// fanotify_mark(2).
struct FanotifyMark {
  bool renames = true;  // FAN_RENAME, one record for both places; Linux 5.17
  bool entries = true;  // what only directories have
  bool at_top = false;  // at the top of the mount in place of the object
  // `events`: inotify's bits.
  std::uint64_t mask(FanotifyScope scope, EventMask events) const;
  // What is in the mask of a filesystem only to know where directories are: to be ignored of all else.
  std::uint64_t ignored_of_files(EventMask events) const;
};
// `may_be_file`: the object need not be a directory.
std::optional<FanotifyMark> next_best(FanotifyMark refused, int status, FanotifyScope scope,
                                      bool may_be_file);

}  // namespace notify_core::backend
