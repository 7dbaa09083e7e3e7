// SPDX-License-Identifier: GPL-2.0-or-later
#include "inotifysync/changes/intake.hpp"

#include <algorithm>
#include <utility>

#include "inotifysync/config/patterns.hpp"

namespace inotifysync {
namespace {

namespace mask = notify_core::mask;
using namespace std::chrono_literals;

// The kernel queues both halves of a rename one after the other; a read may end between them, or who renames
// lose the processor.
constexpr auto pairing_window = 50ms;
constexpr std::size_t most_hints_remembered = 200'000;

// The times of files go by a clock of slow steps: what changed a moment ago may since have changed again, and
// look the same.
bool changed_just_now(const FileInfo& info, std::uint64_t now) {
  constexpr std::uint64_t some_steps = 50'000'000;
  return info.changed <= now && now - info.changed < some_steps;
}

}  // namespace

notify_core::EventMask Intake::wanted_events() {
  return mask::create | mask::remove | mask::move | mask::modify | mask::attrib | mask::close_write |
         mask::delete_self | mask::move_self | mask::unmount;
}

bool Intake::hidden(std::string_view path, bool directory) const {
  return !patterns_.empty() && !path.empty() && patterns_.hides(path, directory);
}

void Intake::mark(std::string_view path, Dirt dirt) {
  fresh_.mark(path, dirt);
  const Dirt shown = dirt & (dirt::content | dirt::attributes);
  if (shown != 0) mark_other_names(path, shown);
}

// What is done to a file shows under all its names, and the one that was used may be gone before a batch is
// planned.
void Intake::mark_other_names(std::string_view path, Dirt dirt) {
  for (const std::string& other : files_.other_names(std::string(path)))
    if (!hidden(other, false)) fresh_.mark(other, dirt);
}

// Kept back no longer, for the name is gone; what was written stays, where the file has another one.
void Intake::lose_name(std::string_view path) {
  if (settling_.released(path)) mark_other_names(path, dirt::content);
}

// A new file waits for the end of this round: renamed until then, as editors and rsync do it, it only goes
// under its second name.
void Intake::mark_closed(std::string_view path, Dirt dirt) {
  if ((dirt & dirt::created) != 0)
    complete_.emplace(path);
  else
    mark(path, dirt);
}

void Intake::mark_complete() {
  for (const std::string& path : std::exchange(complete_, {})) mark(path, dirt::content | dirt::created);
}

// What there is to say of a file that is kept back no longer.
Dirt Intake::let_go(std::string_view path) {
  return born_.erase(std::string(path)) ? dirt::content | dirt::created : dirt::content;
}

void Intake::written(std::string_view path, Time now) {
  const bool was_held = settling_.holds(path);
  if (!settling_.written(path, now)) return mark(path, dirt::content);
  if (!was_held) files_.other_names(std::string(path));  // they are learned while this one is there
}

void Intake::found_written(std::string_view path, Time now) {
  if (!hidden(path, false)) written(path, now);
}

// A file just made by open(2) will be closed; a link, a device or one found by listing a new directory will
// not.
void Intake::created(const notify_core::Event& event, std::string_view path, bool directory, Time now) {
  if (directory) return mark(path, dirt::created);
  if (!event.recovered) {
    const FileInfo info = files_.lstat(std::string(path));
    // One that is missing already was renamed or deleted since, of which the events are still to come.
    if (info.type == FileInfo::Type::missing || (info.type == FileInfo::Type::file && info.links == 1)) {
      written(path, now);
      if (settling_.holds(path)) born_.emplace(path);
      return;
    }
  }
  mark(path, dirt::created | dirt::content);
}

void Intake::give_up_move() {
  if (!moved_from_) return;
  lose_name(moved_from_->path);
  let_go(moved_from_->path);
  complete_.erase(moved_from_->path);
  mark(moved_from_->path, dirt::gone | dirt::unseen);
  moved_from_.reset();
}

void Intake::moved_to(std::uint32_t cookie, std::string_view path, bool directory) {
  const Dirt born = dirt::created | dirt::content | (directory ? dirt::subtree : Dirt{0});
  if (!moved_from_ || moved_from_->cookie != cookie) return mark(path, born);
  const std::string from = std::exchange(moved_from_, std::nullopt)->path;
  lose_name(path);  // of what was replaced
  let_go(path);
  complete_.erase(std::string(path));
  files_.renamed(from, std::string(path));
  const bool is_new = complete_.erase(from) > 0;
  if (settling_.released(from) || is_new) {
    // Renamed while it was written or just after: its content comes from the new name. Under the old one a
    // target may have it all the same, from a full pass or a listing of its directory at the wrong moment.
    const bool was_born = (let_go(from) & dirt::created) != 0;
    if (was_born || is_new) mark(from, dirt::created);  // so that nothing is counted as lost
    mark(from, dirt::gone);
    mark(path, born);
  } else {
    fresh_.mark_moved(from, path);
  }
  if (!directory) return;
  settling_.moved_below(from, path);
  const std::string below = std::string(from).append("/");
  std::erase_if(born_, [&](const std::string& one) { return one.compare(0, below.size(), below) == 0; });
}

void Intake::event(const notify_core::Event& event, std::string_view path, Time now) {
  const bool directory = (event.mask & mask::is_directory) != 0;
  const bool completes_move =
      moved_from_ && (event.mask & mask::moved_to) != 0 && event.cookie == moved_from_->cookie;
  if (!completes_move) give_up_move();
  if (hidden(path, directory)) {
    give_up_move();  // moved to where it is excluded: gone
    if (!directory) shown_elsewhere(event.mask, path, now);
    return;
  }
  if ((event.mask & mask::create) != 0) created(event, path, directory, now);
  if (directory && (event.mask & mask::moved_from) != 0) mark_complete();  // some may be below it
  if ((event.mask & mask::moved_from) != 0) moved_from_ = MovedFrom{event.cookie, std::string(path), now};
  if ((event.mask & mask::moved_to) != 0) moved_to(event.cookie, path, directory);
  if ((event.mask & mask::remove) != 0) {
    lose_name(path);
    files_.unlinked(std::string(path));
    const bool was_born = complete_.erase(std::string(path)) > 0;
    if ((let_go(path) & dirt::created) != 0 || was_born) mark(path, dirt::created);  // then no target has it
    mark(path, dirt::gone);
  }
  changed(event.mask, path, now);
}

// What is done to a file by an excluded name shows under its others.
void Intake::shown_elsewhere(notify_core::EventMask done, std::string_view path, Time now) {
  if ((done & (mask::modify | mask::close_write | mask::attrib)) == 0) return;
  for (const std::string& other : files_.other_names(std::string(path)))
    if (!hidden(other, false)) changed(done, other, now);
}

void Intake::changed(notify_core::EventMask done, std::string_view path, Time now) {
  if ((done & mask::modify) != 0) written(path, now);
  // Closed without having been written to: only a mapping may have changed it, which its times show.
  if ((done & mask::close_write) != 0)
    mark_closed(path, settling_.released(path) ? let_go(path) : dirt::attributes);
  const bool goes_anyway = settling_.holds(path) || complete_.contains(std::string(path));
  if ((done & mask::attrib) != 0 && !goes_anyway) mark(path, dirt::attributes);
}

void Intake::hint(std::string_view path, std::uint64_t now) {
  const FileInfo info = files_.lstat(std::string(path));
  const bool directory = info.type == FileInfo::Type::directory;
  if (hidden(path, directory)) return;
  if (info.type == FileInfo::Type::missing) {
    hinted_.erase(std::string(path));
    return mark(path, dirt::gone);
  }
  if (hinted_.size() >= most_hints_remembered) hinted_.clear();
  const std::uint64_t looks = info.changed ^ (info.inode << 1) ^ (info.size << 40);
  const auto [known, is_new] = hinted_.try_emplace(std::string(path), looks);
  if (!is_new && std::exchange(known->second, looks) == looks && !changed_just_now(info, now)) return;
  if (path.empty()) return mark(path, dirt::attributes);
  // A directory may have taken the place of another one, whose files the targets have there.
  mark(path, dirt::created | dirt::content | (directory ? dirt::subtree | dirt::doubtful : Dirt{0}));
}

void Intake::tick(Time now) {
  if (moved_from_ && now >= moved_from_->at + pairing_window) give_up_move();
  for (const std::string& path : settling_.take_due(now)) mark(path, let_go(path));
}

std::optional<Intake::Time> Intake::next_due() const {
  auto due = settling_.next_due();
  if (!moved_from_) return due;
  const Time pairing = moved_from_->at + pairing_window;
  return due ? std::min(*due, pairing) : pairing;
}

void Intake::release_all() {
  give_up_move();
  for (const std::string& path : settling_.take_all()) mark(path, let_go(path));
}

ChangeSet Intake::take() {
  mark_complete();
  return std::exchange(fresh_, ChangeSet{});
}

}  // namespace inotifysync
