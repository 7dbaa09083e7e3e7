// SPDX-License-Identifier: GPL-2.0-or-later
// FanotifyBackend: from what the kernel says to records as inotify has them.
#include <fcntl.h>

#include <utility>

#include "backend/fanotify_backend.hpp"
#include "sys/handle.hpp"

namespace notify_core::backend {

void FanotifyBackend::queue(const FanotifyEvent& event, EventMask mask, int watch, std::string_view name,
                            int target) {
  Record record;
  record.watch = watch;
  record.mask = mask;
  record.pid = event.pid;
  record.name = name;
  record.target = target;
  queued_.push_back(record);
}

int FanotifyBackend::directory_number(ObjectKey directory) {
  return scope_ == FanotifyScope::objects ? handles_.find(directory) : handles_.intern(directory);
}

void FanotifyBackend::take_apart(const FanotifyEvent& event) {
  if (event.mask & mask::q_overflow) return queue(event, mask::q_overflow, -1, {});
  if (event.renamed) return take_apart_rename(event);
  if (event.place.directory.empty()) return take_unplaced(event);
  const int directory = directory_number(event.place.directory);
  if (directory < 0) return take_elsewhere(event);
  if (event.place.name == ".") return take_apart_self(event, directory);
  take_apart_entry(event, directory);
}

void FanotifyBackend::take_apart_rename(const FanotifyEvent& event) {
  const bool directory = (event.mask & mask::is_directory) != 0;
  const int from = directory_number(event.from.directory);
  const int to = directory_number(event.to.directory);
  const int target = directory ? directory_number(event.object) : -1;
  const EventMask kind = event.mask & mask::is_directory;
  const std::uint32_t cookie = ++last_cookie_;
  if (from >= 0) queue(event, mask::moved_from | kind, from, event.from.name, target);
  if (to >= 0) queue(event, mask::moved_to | kind, to, event.to.name, target);
  for (Record& record : queued_) record.cookie = cookie;
  if (scope_ == FanotifyScope::objects) {
    if (target < 0 || from < 0) return;
    queue(event, mask::move_self | kind, target, {});
    moved_directory_ = target;
  } else if (!directory) {
    moved_file_ = event.object;
    moved_file_directory_ = to;
    moved_file_name_ = event.to.name;
  }
}

void FanotifyBackend::take_apart_entry(const FanotifyEvent& event, int directory) {
  const std::string_view name = event.place.name;
  const EventMask kind = event.mask & mask::is_directory;
  int target = -1;
  if (scope_ == FanotifyScope::filesystems) {
    if (kind) target = directory_number(event.object);
    if (!kind && watches_files_) target = handles_.find(event.object);
  }
  // Without FAN_RENAME: the halves come one by one, with no cookie.
  if (event.mask & mask::moved_to) {
    queue(event, mask::moved_to | kind, directory, name, target);
    queued_.back().cookie = moving_process_ == event.pid ? last_cookie_ : ++last_cookie_;
    moving_process_ = 0;
  }
  if (event.mask & mask::create) queue(event, mask::create | kind, directory, name, target);
  constexpr EventMask entry_made_or_ended = mask::create | mask::remove | mask::move;
  const EventMask rest = event.mask & ~(entry_made_or_ended | mask::is_directory);
  if (rest) queue(event, rest | kind, directory, name, target);
  if (event.mask & mask::moved_from) {
    queue(event, mask::moved_from | kind, directory, name, target);
    queued_.back().cookie = ++last_cookie_;
    moving_process_ = event.pid;
  }
  if ((event.mask & mask::remove) == 0) return;
  if (unplaced_mask_ != 0 && event.object == unplaced_object_) {
    queue(event, std::exchange(unplaced_mask_, 0), directory, name);
  }
  queue(event, mask::remove | kind, directory, name, target);
}

// Of a watched directory itself.
void FanotifyBackend::take_apart_self(const FanotifyEvent& event, int number) {
  EventMask mask = event.mask;
  if ((mask & mask::move_self) && number == moved_directory_) {
    mask &= ~mask::move_self;
    moved_directory_ = -1;
  }
  if (mask & ~mask::is_directory) queue(event, mask, number, {});
  if ((mask & mask::delete_self) && scope_ == FanotifyScope::objects) ended_.push_back(number);
}

// Of a file, without a word on where it is.
void FanotifyBackend::take_unplaced(const FanotifyEvent& event) {
  if (const int number = watches_files_ ? handles_.find(event.object) : -1; number >= 0) {
    queue(event, event.mask, number, {});
    if (event.mask & mask::delete_self) ended_.push_back(number);
    return;
  }
  if (scope_ == FanotifyScope::objects) return;
  if ((event.mask & mask::move_self) && event.object == moved_file_) {
    return queue(event, event.mask, moved_file_directory_, moved_file_name_);
  }
  unplaced_object_ = event.object;
  unplaced_mask_ = event.mask & ~mask::attrib;  // the count of its links: not for somebody to see
}

// Of a directory that is not watched itself, but the one above it is. Entries are told of to whom watches their
// directory alone: what is said of others is left from a watch that was ended.
void FanotifyBackend::take_elsewhere(const FanotifyEvent& event) {
  if (event.place.name != ".") return;
  const sys::Fd directory(mounts_.open(event.place.directory));
  if (!directory || sys::path_of(directory.get(), located_) < 0) return;
  const sys::Fd above(open_above(directory.get()));
  std::string key;
  if (above) mounts_.key_of(above.get(), "", AT_EMPTY_PATH, key);
  const int watched = handles_.find(key);
  if (watched < 0) return;
  if (located_.empty() || located_.back() != '/') located_ += '/';
  queue(event, event.mask, watched, {});
  queued_.back().directory = located_;
}

void FanotifyBackend::hand_on_ends() {
  for (const int watch : std::exchange(ended_, {})) {
    queue({}, mask::ignored, watch, {});
    handles_.forget(watch);
  }
}

}  // namespace notify_core::backend
