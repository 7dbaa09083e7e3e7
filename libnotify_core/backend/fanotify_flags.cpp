// SPDX-License-Identifier: GPL-2.0-or-later
#include "backend/fanotify_flags.hpp"

#include <linux/fanotify.h>

#include <cerrno>

#include "event/event_mask.hpp"  // FAN_RENAME, where the headers lack it

#ifndef FAN_REPORT_TARGET_FID
#define FAN_REPORT_TARGET_FID 0x00001000
#endif

namespace notify_core::backend {
namespace {

constexpr unsigned report_names = FAN_CLASS_NOTIF | FAN_REPORT_FID | FAN_REPORT_DIR_FID | FAN_REPORT_NAME;
constexpr EventMask entry_events = mask::create | mask::remove | mask::move;

}  // namespace

unsigned FanotifyGroup::flags() const {
  return report_names | (unlimited ? FAN_UNLIMITED_QUEUE | FAN_UNLIMITED_MARKS : 0U) |
         (targets ? FAN_REPORT_TARGET_FID + 0U : 0U);
}

std::optional<FanotifyGroup> next_best(FanotifyGroup refused, int status, FanotifyScope scope) {
  FanotifyGroup next = refused;
  if (status == -EINVAL && refused.targets) {
    next.targets = false;
    return next;
  }
  // Whole filesystems are for who may have everything without limit.
  if (status == -EPERM && refused.unlimited && scope == FanotifyScope::objects) {
    next.unlimited = false;
    return next;
  }
  return std::nullopt;
}

bool tells_ends(FanotifyScope scope, EventMask events) {
  constexpr EventMask end_with_removal = entry_events | mask::move_self;
  return scope == FanotifyScope::objects || (events & mask::all_events & ~end_with_removal) != 0;
}

std::uint64_t FanotifyMark::mask(FanotifyScope scope, EventMask events) const {
  std::uint64_t mask = events & mask::all_events;
  if (tells_ends(scope, events)) mask |= mask::delete_self;
  if (scope == FanotifyScope::filesystems) mask |= entry_events;  // to know where directories are
  if (!entries) return mask & ~std::uint64_t{entry_events};
  if (renames && (mask & mask::move)) mask = (mask & ~std::uint64_t{mask::move}) | FAN_RENAME;
  return mask | FAN_ONDIR | FAN_EVENT_ON_CHILD;
}

std::uint64_t FanotifyMark::ignored_of_files(EventMask events) const {
  // Where a file is that moved or ended itself is said by its rename or removal.
  EventMask wanted = events;
  if (events & mask::move_self) wanted |= mask::move;
  if (events & mask::delete_self) wanted |= mask::remove;
  std::uint64_t unasked = (entry_events | mask::delete_self) & ~wanted;
  if (!renames) return unasked;
  unasked &= ~std::uint64_t{mask::move};
  return wanted & mask::move ? unasked : unasked | FAN_RENAME;
}

std::optional<FanotifyMark> next_best(FanotifyMark refused, int status, FanotifyScope scope,
                                      bool may_be_file) {
  FanotifyMark next = refused;
  if (status == -EINVAL && refused.renames) {
    next.renames = false;
  } else if (status == -ENOTDIR && refused.entries && may_be_file) {
    next.entries = false;
  } else if (status == -EXDEV && !refused.at_top && scope == FanotifyScope::filesystems) {
    next.at_top = true;  // a subvolume of btrfs
  } else {
    return std::nullopt;
  }
  return next;
}

}  // namespace notify_core::backend
