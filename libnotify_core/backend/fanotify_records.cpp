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
  if (++renames_ > 2) hand_on_missing(queue_.position());
  hand_on_rename(event);
}

void FanotifyBackend::hand_on_rename(const FanotifyEvent& event) {
  const bool directory = (event.mask & mask::is_directory) != 0;
  const int from = directory_number(event.from.directory);
  const int to = directory_number(event.to.directory);
  int target = directory ? directory_number(event.object) : -1;
  if (target < 0 && directory && !event.object.empty()) target = unwatched;
  const EventMask kind = event.mask & mask::is_directory;
  if (directory && !may_open_) learn(event, event.to);
  const std::uint32_t cookie = ++last_cookie_;
  const std::size_t before = queued_.size();
  if (from >= 0) queue(event, mask::moved_from | kind, from, event.from.name, target);
  if (to >= 0) queue(event, mask::moved_to | kind, to, event.to.name, target);
  for (std::size_t i = before; i < queued_.size(); ++i) queued_[i].cookie = cookie;
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
  if (!may_open_ && kind && (event.mask & mask::create)) learn(event, event.place);
  int target = -1;
  if (scope_ == FanotifyScope::filesystems) {
    if (kind && !came_and_went(event)) target = directory_number(event.object);
    if (!kind && watches_files_) target = handles_.find(event.object);
  } else if (kind) {
    target = handles_.find(event.object);
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
  if (event.mask & mask::remove) remove_entry(event, directory, target);
}

// Of a directory that was made and removed before the record was read, and in which nothing happened, nothing
// more will be heard, and nobody need know it.
bool FanotifyBackend::came_and_went(const FanotifyEvent& event) {
  constexpr EventMask both = mask::create | mask::remove;
  return (event.mask & both) == both && queue_.drained() && !tells_ends(scope_, marked_events()) &&
         queue_.foresight().end_of(queue_.position()) == queue_.position();
}

void FanotifyBackend::remove_entry(const FanotifyEvent& event, int directory, int target) {
  const std::size_t here = queue_.position();
  if (event.mask & mask::create) {
    const std::size_t until = queue_.foresight().end_of(here);
    if (until > here) return deferred_.push_back({until, here, event, directory, target});
  }
  if (renames_ > 1) hand_on_missing(here);
  const std::string_view name = event.place.name;
  if (unplaced_mask_ != 0 && event.object == unplaced_object_) {
    queue(event, std::exchange(unplaced_mask_, 0), directory, name);
  }
  queue(event, mask::remove | (event.mask & mask::is_directory), directory, name, target);
}

void FanotifyBackend::hand_on_missing(std::size_t position) {
  if (const FanotifyEvent* missing = queue_.foresight().missing_before(position)) hand_on_rename(*missing);
}

// What ended in a directory before the directory.
void FanotifyBackend::hand_on_deferred() {
  for (std::size_t i = deferred_.size(); i-- > 0;) {
    if (deferred_[i].until > queue_.position()) continue;
    const Deferred one = deferred_[i];
    deferred_.erase(deferred_.begin() + static_cast<std::ptrdiff_t>(i));
    if (renames_ > 1) hand_on_missing(one.position);
    const EventMask kind = one.event.mask & mask::is_directory;
    queue(one.event, mask::remove | kind, one.directory, one.event.place.name, one.target);
  }
}

// What was renamed to and fro may not be where it was said to be: the filesystem knows. True where there is
// something to hand on, said by the kernel or found here.
bool FanotifyBackend::find_wanderers() {
  if (renames_ < 2 || searched_at_ == queue_.position()) return false;
  searched_at_ = queue_.position();
  std::vector<FanotifyEvent> found;
  for (const FanotifyForesight::Wanderer& wanderer : queue_.foresight().wanderers()) {
    if (holds(wanderer.last.to, wanderer.last.object)) continue;
    for (const FanotifyEvent::Place& place : wanderer.elsewhere) {
      if (!holds(place, wanderer.last.object)) continue;
      FanotifyEvent rename = wanderer.last;
      rename.from = wanderer.last.to;
      rename.to = place;
      found.push_back(rename);
      break;
    }
  }
  if (found.empty()) return false;
  if (queue_.read_on()) return true;  // it may have been told meanwhile
  for (const FanotifyEvent& rename : found) hand_on_rename(rename);
  return true;
}

bool FanotifyBackend::holds(const FanotifyEvent::Place& place, ObjectKey object) {
  if (!may_open_) return is_at(handles_.find(place.directory), std::string(place.name), object, true);
  const sys::Fd directory(mounts_.open(place.directory));
  std::string key;
  return directory && mounts_.key_of(directory.get(), std::string(place.name).c_str(), 0, key) == 0 &&
         key == object;
}

// Of a watched directory itself.
void FanotifyBackend::take_apart_self(const FanotifyEvent& event, int number) {
  EventMask mask = event.mask;
  if ((mask & mask::move_self) && number == moved_directory_) {
    mask &= ~mask::move_self;
    moved_directory_ = -1;
  }
  if ((mask & mask::move_self) && is_ahead_of_its_rename(event)) mask &= ~mask::move_self;
  if (mask & ~mask::is_directory) queue(event, mask, number, {});
  if ((mask & mask::delete_self) && scope_ == FanotifyScope::objects) ended_.push_back(number);
}

// A MOVE_SELF that was added to what had been queued of the directory before, as an ATTRIB, stands ahead of
// the rename; that is handed on with a MOVE_SELF of its own.
bool FanotifyBackend::is_ahead_of_its_rename(const FanotifyEvent& event) {
  constexpr EventMask alone = mask::move_self | mask::is_directory;
  if (scope_ != FanotifyScope::objects || (event.mask & ~alone) == 0) return false;
  const auto* departure = queue_.foresight().departure(event.place.directory, queue_.position());
  return departure != nullptr && !departure->removed && directory_number(departure->place.directory) >= 0;
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

void FanotifyBackend::hand_on_ends() {
  for (const int watch : std::exchange(ended_, {})) {
    queue({}, mask::ignored, watch, {});
    handles_.forget(watch);
  }
}

}  // namespace notify_core::backend
