// SPDX-License-Identifier: GPL-2.0-or-later
// FanotifyBackend: events of what is not watched itself.
#include <fcntl.h>

#include "backend/fanotify_backend.hpp"
#include "sys/handle.hpp"
#include "sys/syscall.hpp"

namespace notify_core::backend {

// Of a watched file, or of a directory that is not watched itself, but the one above it is. Anything else is
// left from a watch that was ended.
void FanotifyBackend::take_elsewhere(const FanotifyEvent& event) {
  const bool itself = event.place.name == ".";
  if (!left_behind_.empty() && left_behind_.contains(std::string(event.place.directory))) {
    if (!event.object.empty()) left_behind_.emplace(event.object);
    return;
  }
  const int file = watches_files_ ? handles_.find(event.object) : -1;
  if (!itself && file < 0) return;
  if (!itself && !may_open_) return queue(event, event.mask, file, event.place.name);
  const int watched = locate(event.place.directory);
  if (located_.empty() || (itself && watched < 0)) return;
  queue(event, event.mask, watched, itself ? std::string_view() : event.place.name);
  queued_.back().directory = located_;
}

// Where a directory is: its path into `located_`, and the number of the one above it, which may be -1.
int FanotifyBackend::locate(ObjectKey directory) {
  if (!may_open_) return locate_unopened(directory);
  const sys::Fd opened(mounts_.open(directory));
  if (!opened || sys::path_of(opened.get(), located_) < 0) return locate_by_departure(directory);
  const sys::Fd above(open_above(opened.get()));
  std::string key;
  if (above) mounts_.key_of(above.get(), "", AT_EMPTY_PATH, key);
  if (located_.empty() || located_.back() != '/') located_ += '/';
  return handles_.find(key);
}

// By its rename or removal, which are still to be handed on.
int FanotifyBackend::locate_by_departure(ObjectKey directory) {
  located_.clear();
  const auto* departure = queue_.foresight().departure(directory, queue_.position());
  while (departure == nullptr && queue_.read_on())
    departure = queue_.foresight().departure(directory, queue_.position());
  if (departure == nullptr) return -1;
  const int above = handles_.find(departure->place.directory);
  return is_at(above, std::string(departure->place.name), directory, false) ? above : -1;
}

// For who may not open handles: by what was said of it, and by looking through the directories watched.
int FanotifyBackend::locate_unopened(ObjectKey directory) {
  constexpr std::size_t most_listed = 10'000;
  const auto known = learnt_.find(std::string(directory));
  const auto [learnt_above, name] = known == learnt_.end() ? std::pair(-1, std::string()) : known->second;
  if (is_at(learnt_above, name, directory, true)) return learnt_above;
  if (const int above = locate_by_departure(directory); above >= 0) return above;
  int found = -1;
  if (handles_.size() <= most_listed) {
    handles_.for_each_number([&](int number) {
      if (found < 0 && list_for(number, directory)) found = number;
    });
  }
  if (found >= 0) return found;
  if (is_at(learnt_above, name, directory, false)) return learnt_above;  // where it was last
  ++lost_;
  return -1;
}

// Whether a directory is the entry `name` of a watched one (which is believed, unless `look`); if so, its
// path is in `located_`.
bool FanotifyBackend::is_at(int parent, const std::string& name, ObjectKey directory, bool look) {
  located_ = parent < 0 ? std::string() : path_of_(parent);
  if (located_.empty()) return false;
  located_ += name;
  std::string key;
  if (look && (mounts_.key_of(AT_FDCWD, located_.c_str(), 0, key) < 0 || key != directory)) return false;
  located_ += '/';
  return true;
}

bool FanotifyBackend::list_for(int parent, ObjectKey directory) {
  const std::string path = path_of_(parent);
  if (path.empty()) return false;
  for (const std::string& name : sys::directories_in(path)) {
    if (!is_at(parent, name, directory, true)) continue;
    learnt_[std::string(directory)] = {parent, name};
    return true;
  }
  return false;
}

void FanotifyBackend::learn(const FanotifyEvent& event, const FanotifyEvent::Place& place) {
  constexpr std::size_t most_learnt = 100'000;
  const int parent = handles_.find(place.directory);
  if (parent < 0 || event.object.empty()) return;
  if (learnt_.size() >= most_learnt) learnt_.clear();
  learnt_[std::string(event.object)] = {parent, std::string(place.name)};
}

}  // namespace notify_core::backend
