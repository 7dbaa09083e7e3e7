// SPDX-License-Identifier: GPL-2.0-or-later
// What the queue says further on of renames. The kernel queues a rename's MOVED_FROM, MOVED_TO and MOVE_SELF
// while both parents are locked (vfs_rename() in fs/namei.c), so nothing else is said of their entries in
// between; each part only where the directory it is said of was watched at that moment.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "backend/backend.hpp"
#include "watch/sightings.hpp"

namespace notify_core::watch {

// Calls its argument with each record that is still to come, in order, until that returns false.
using Unread = std::function<void(const std::function<bool(const backend::Record&)>&)>;

// Which watched directory left its place by the rename whose MOVED_FROM had this watch and cookie?
// `stands_there`: could it be this one? Empty: not told yet. backend::unwatched: none that was watched.
std::optional<int> who_moved(const Unread& unread, int from, std::uint32_t cookie,
                             const std::function<bool(int watch)>& stands_there);

// A watched directory has left the tree. If the next that is told of it is that it came back, and before that
// nothing of directories in it (`is_inside`): the cookie of the rename that may have brought it; else 0.
std::uint32_t comes_back_by(const Unread& unread, int watch, const std::function<bool(int watch)>& is_inside);

// A rename that may be one of a watched directory, for its MOVE_SELF comes next: where a parent was watched,
// its place there is told.
struct Step {
  Sightings::Place from{};
  Sightings::Place to{};
};
std::vector<Step> steps_of(const Unread& unread, int watch);

// What these steps tell of a directory that was seen in some places. A step is taken for its own where it
// begins or ends in a place where it is known to have been.
struct Course {
  const Sightings::Place* start = nullptr;  // where it is before the first step; null: not told
  bool told = false;                        // where the last step leads, in a parent that `is_known`
};
Course follow(const std::vector<Step>& steps, std::vector<Sightings::Place> seen,
              const std::function<bool(int watch)>& is_known);

}  // namespace notify_core::watch
