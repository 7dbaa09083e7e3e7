// SPDX-License-Identifier: GPL-2.0-or-later
#include "watch/foresight.hpp"

#include <algorithm>
#include <string>

#include "notify_core/event.hpp"

namespace notify_core::watch {
std::optional<int> who_moved(const Unread& unread, int from, std::uint32_t cookie,
                             const std::function<bool(int watch)>& stands_there) {
  std::optional<int> moved;
  unread([&](const backend::Record& record) {
    if ((record.mask & mask::move_self) && stands_there(record.watch)) {
      moved = record.watch;
    } else if (record.watch == from && !((record.mask & mask::moved_to) && record.cookie == cookie)) {
      constexpr EventMask changes = mask::create | mask::remove | mask::move | mask::ignored;
      if (record.mask & changes) moved = backend::unwatched;
    }
    return !moved;
  });
  return moved;
}

std::uint32_t comes_back_by(const Unread& unread, int watch,
                            const std::function<bool(int watch)>& is_inside) {
  std::uint32_t within = 0;  // of the last rename that began in the tree
  std::uint32_t into = 0;    // of the last one that did not; its MOVE_SELF is to come
  bool found = false;
  unread([&](const backend::Record& record) {
    found = record.watch == watch && (record.mask & mask::move_self);
    if (found) return false;
    constexpr EventMask of_directories = mask::is_directory | mask::move_self | mask::ignored;
    if (is_inside(record.watch)) return (record.mask & of_directories) == 0;
    if (record.mask & mask::moved_from) within = record.cookie;
    if ((record.mask & mask::moved_to) && (record.mask & mask::is_directory)) {
      into = record.cookie == within ? 0 : record.cookie;
    }
    if (record.mask & mask::move_self) into = 0;
    return true;
  });
  return found ? into : 0;
}

std::vector<Step> steps_of(const Unread& unread, int watch) {
  std::vector<Step> steps;
  Step step;  // of which MOVE_SELF has not come so far
  std::uint32_t cookie = 0;
  unread([&](const backend::Record& record) {
    if (record.mask & mask::move_self) {
      if (record.watch == watch) steps.push_back(step);
      step = {};
      cookie = 0;
    }
    if ((record.mask & mask::move) == 0 || (record.mask & mask::is_directory) == 0) return true;
    if ((record.mask & mask::moved_from) || record.cookie != cookie) step = {};
    (record.mask & mask::moved_from ? step.from : step.to) = {record.watch, std::string(record.name)};
    cookie = record.cookie;
    return true;
  });
  return steps;
}

Course follow(const std::vector<Step>& steps, std::vector<Sightings::Place> seen,
              const std::function<bool(int watch)>& is_known) {
  Course course;
  for (const Step& step : steps) {
    const bool from_there = std::ranges::find(seen, step.from) != seen.end();
    const bool its_own = from_there || std::ranges::find(seen, step.to) != seen.end();
    if (from_there && &step == &steps.front()) course.start = &step.from;
    course.told = its_own && is_known(step.to.parent);
    if (its_own && step.to.parent >= 0) seen.push_back(step.to);
  }
  return course;
}

}  // namespace notify_core::watch
