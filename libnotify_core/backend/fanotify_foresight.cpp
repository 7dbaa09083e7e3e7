// SPDX-License-Identifier: GPL-2.0-or-later
#include "backend/fanotify_foresight.hpp"

#include <algorithm>
#include <bit>
#include <string_view>
#include <unordered_set>

namespace notify_core::backend {
namespace {

constexpr EventMask made_and_removed = mask::create | mask::remove;

bool same(const FanotifyEvent::Place& a, const FanotifyEvent::Place& b) {
  return a.name == b.name && a.directory == b.directory;
}

struct PlaceHash {
  std::size_t operator()(const FanotifyEvent::Place& place) const {
    const std::hash<std::string_view> hash;
    return hash(place.directory) * 31 + hash(place.name);
  }
};
struct SamePlace {
  bool operator()(const FanotifyEvent::Place& a, const FanotifyEvent::Place& b) const { return same(a, b); }
};
using Places = std::unordered_set<FanotifyEvent::Place, PlaceHash, SamePlace>;

// Numbers that may be in a set: true also by chance, but nearly never.
class Seen {
 public:
  explicit Seen(std::size_t count) : slots_(std::bit_ceil(2 * count + 1)) {}
  void insert(std::size_t hash) { slot(hash) = hash | 1; }
  bool contains(std::size_t hash) { return slot(hash) == (hash | 1); }

 private:
  std::size_t& slot(std::size_t hash) {
    std::size_t at = (hash >> 1) & (slots_.size() - 1);
    while (slots_[at] != 0 && slots_[at] != (hash | 1)) at = (at + 1) & (slots_.size() - 1);
    return slots_[at];
  }
  std::vector<std::size_t> slots_;  // 0: free
};

// The same rename can only have happened again to what came back to where it began. Where nothing did, as
// nearly always, this is all that is done with a rename.
template <class Renames>
bool may_have_come_back(const Renames& renames) {
  if (renames.size() < 2) return false;
  Seen left(renames.size());
  const PlaceHash hash;
  FanotifyEvent::Place told;
  std::size_t told_hash = 0;
  for (const auto* rename : renames) {
    left.insert(same(rename->event.from, told) ? told_hash : hash(rename->event.from));
    told = rename->event.to;
    told_hash = hash(told);
    if (left.contains(told_hash)) return true;
  }
  return false;
}

template <class Renames>
bool came_back(const Renames& renames) {
  if (!may_have_come_back(renames)) return false;
  Places left;
  for (const auto* rename : renames) {
    left.insert(rename->event.from);
    if (left.contains(rename->event.to)) return true;
  }
  return false;
}

}  // namespace

void FanotifyForesight::clear() {
  taken_.clear();
  count_ = overflowed_ = 0;
  departures_.clear();
  departures_of_.clear();
  indexed_ = 0;
  renames_.clear();
  brief_.clear();
  missing_.clear();
  wanderers_.clear();
  looked_through_ = true;
}

void FanotifyForesight::take_in(std::span<const std::byte> bytes) {
  taken_.push_back(bytes);
  FanotifyDecoder decoder(bytes);
  for (FanotifyEvent event; decoder.next(event); ++count_) {
    if (event.mask & mask::q_overflow) overflowed_ = count_ + 1;
    if (event.object.empty()) continue;
    const bool directory = (event.mask & mask::is_directory) != 0;
    const FanotifyEvent::Place& from = event.renamed ? event.from : event.place;
    const bool leaves = event.renamed || (event.mask & mask::remove) != 0;
    if (leaves && directory && !from.directory.empty())
      departures_.emplace_back(event.object, Departure{count_, from, !event.renamed});
    if (event.renamed) renames_.push_back({count_, event});
    if ((event.mask & made_and_removed) == made_and_removed)
      brief_.push_back({count_, event.object, event.place, directory, count_});
  }
  looked_through_ = false;
}

const FanotifyForesight::Departure* FanotifyForesight::departure(ObjectKey directory, std::size_t position) {
  for (; indexed_ < departures_.size(); ++indexed_)
    departures_of_.emplace(departures_[indexed_].first, indexed_);
  const Departure* first = nullptr;
  const auto [begin, end] = departures_of_.equal_range(directory);
  for (auto at = begin; at != end; ++at) {
    const Departure& one = departures_[at->second].second;
    if (one.position >= position && (first == nullptr || one.position < first->position)) first = &one;
  }
  return first;
}

std::size_t FanotifyForesight::end_of(std::size_t position) {
  look_through();
  const auto one = std::lower_bound(brief_.begin(), brief_.end(), position,
                                    [](const Brief& brief, std::size_t at) { return brief.position < at; });
  return one == brief_.end() || one->position != position ? position : one->end;
}

const FanotifyEvent* FanotifyForesight::missing_before(std::size_t position) {
  look_through();
  const auto missing = missing_.find(position);
  return missing == missing_.end() ? nullptr : &missing->second;
}

const std::vector<FanotifyForesight::Wanderer>& FanotifyForesight::wanderers() {
  look_through();
  return wanderers_;
}

void FanotifyForesight::look_through() {
  if (looked_through_) return;
  looked_through_ = true;
  Renames renames;
  ObjectKey previous;
  std::vector<const Rename*>* of_previous = nullptr;
  for (const Rename& rename : renames_) {
    const ObjectKey object = rename.event.object;
    if (object.empty()) continue;
    if (of_previous == nullptr || object != previous) of_previous = &renames[object];
    previous = object;
    of_previous->push_back(&rename);
  }
  find_ends(renames);
  find_missing(renames);
}

// What was removed from a place ends after it last came there, and a directory also after the last word of
// what is in it, and after all that ended in it.
void FanotifyForesight::find_ends(const Renames& renames) {
  std::unordered_map<ObjectKey, std::size_t> last;  // word of a directory
  last.reserve(brief_.size());
  for (Brief& one : brief_) {
    one.end = one.position;
    if (const auto moves = renames.find(one.object); moves != renames.end()) {
      for (const Rename* move : moves->second) {
        if (same(move->event.to, one.place)) one.end = std::max(one.end, move->position);
      }
    }
    if (one.directory) last[one.object] = one.end;
  }
  if (last.empty()) return;
  find_last_words(last);
  for (auto one = brief_.rbegin(); one != brief_.rend(); ++one) {
    if (one->directory) one->end = last[one->object];
    if (one->end == one->position) continue;
    const auto parent = last.find(one->place.directory);
    if (parent != last.end()) parent->second = std::max(parent->second, one->end);
  }
}

// The last record in which something is said to have happened in each of the directories.
void FanotifyForesight::find_last_words(std::unordered_map<ObjectKey, std::size_t>& last) const {
  std::size_t position = 0;
  ObjectKey previous;
  auto known = last.end();
  const auto mentioned = [&](ObjectKey object) {
    if (object.empty()) return;
    if (object != previous) known = last.find(object);  // many records in a row have one directory
    previous = object;
    if (known != last.end()) known->second = std::max(known->second, position);
  };
  for (const std::span<const std::byte> bytes : taken_) {
    FanotifyDecoder decoder(bytes);
    for (FanotifyEvent event; decoder.next(event); ++position) {
      mentioned(event.place.directory);
      if (!event.renamed) continue;
      mentioned(event.from.directory);
      mentioned(event.to.directory);
    }
  }
}

void FanotifyForesight::find_missing(const Renames& renames) {
  missing_.clear();
  wanderers_.clear();
  Steps steps;
  for (const auto& [object, list] : renames) {
    if (!came_back(list)) continue;
    for (const Rename* rename : list) steps[object].push_back(*rename);
  }
  if (steps.empty()) return;
  add_removals(steps);
  for (auto& [object, list] : steps) follow(list);
}

void FanotifyForesight::add_removals(Steps& steps) const {
  std::size_t position = 0;
  for (const std::span<const std::byte> bytes : taken_) {
    FanotifyDecoder decoder(bytes);
    for (FanotifyEvent event; decoder.next(event); ++position) {
      if ((event.mask & mask::remove) == 0 || event.object.empty()) continue;
      const auto known = steps.find(event.object);
      if (known == steps.end()) continue;
      event.from = event.place;
      known->second.push_back({position, event});
    }
  }
}

// Goes from place to place with it. A step that begins elsewhere than the last one ended, but where it has
// been before, has one missing before it.
void FanotifyForesight::follow(std::vector<Rename>& steps) {
  const auto end = [this](const Rename& step) {
    return step.event.renamed ? step.position : end_of(step.position);
  };
  std::stable_sort(steps.begin(), steps.end(),
                   [&](const Rename& a, const Rename& b) { return end(a) < end(b); });
  FanotifyEvent::Place told = steps.front().event.from;
  Places left;
  FanotifyEvent last;
  for (const Rename& step : steps) {
    const FanotifyEvent& event = step.event;
    if (!same(event.from, told) && left.contains(event.from) && left.contains(told)) {
      FanotifyEvent& missing = missing_[step.position];
      missing = event;
      missing.mask = event.mask & mask::is_directory;
      missing.renamed = true;
      missing.from = told;
      missing.to = event.from;
    }
    if (!event.renamed) return;
    left.insert(event.from);
    told = event.to;
    last = event;
  }
  if (left.erase(told) != 0) wanderers_.push_back({last, {left.begin(), left.end()}});
}

}  // namespace notify_core::backend
