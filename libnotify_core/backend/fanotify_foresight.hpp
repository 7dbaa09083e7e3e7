// SPDX-License-Identifier: GPL-2.0-or-later
// What has been read of fanotify but not handed on yet, looked through ahead. Pure data.
//
// The kernel adds a deed to the record of an earlier one where it can: of all that one process did to one
// entry, as long as it was not read. So the order is lost in three ways, each of which shows in the records:
// - A directory is made and removed, and only then comes what happened in it.
// - A file is made and removed, and only then are its renames told.
// - Renames to and fro (a to b, b to a, and a to b again) are two records, and the last one is missing.
// Also, a directory may be gone by the time an event in it is read; its removal, further on, says where it
// was.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include "backend/fanotify_decoder.hpp"

namespace notify_core::backend {

class FanotifyForesight {
 public:
  // Records are counted in order from 0. The bytes must stay where they are until clear().
  void clear();
  void take_in(std::span<const std::byte> bytes);

  // Whether the kernel dropped events at `position` or later.
  bool overflows(std::size_t position) const { return overflowed_ > position; }

  // How a directory leaves its place: by a rename, or removed.
  struct Departure {
    std::size_t position;
    FanotifyEvent::Place place;
    bool removed;
  };
  // The first one at `position` or later; null: there is none.
  const Departure* departure(ObjectKey directory, std::size_t position);

  // The record after which the removal that record `position` tells of (along with the creation) belongs:
  // `position` itself, where nothing speaks against it.
  std::size_t end_of(std::size_t position);

  // The rename that must have come before the rename or removal of record `position`, and is told by an
  // earlier record only; null: none is missing. A deferred removal has its own record's number here.
  const FanotifyEvent* missing_before(std::size_t position);

  // What was renamed back to where it had been, and so may have gone on from there without a word.
  struct Wanderer {
    FanotifyEvent last;                           // its last rename; it is said to be at `last.to`
    std::vector<FanotifyEvent::Place> elsewhere;  // where it may be instead
  };
  const std::vector<Wanderer>& wanderers();

 private:
  struct Rename {
    std::size_t position;
    FanotifyEvent event;
  };
  struct Brief {
    std::size_t position;
    ObjectKey object;
    FanotifyEvent::Place place;
    bool directory;
    std::size_t end;  // the record after which its removal belongs
  };
  using Renames = std::unordered_map<ObjectKey, std::vector<const Rename*>>;  // of each object, in order
  using Steps = std::unordered_map<ObjectKey, std::vector<Rename>>;
  void look_through();
  void find_ends(const Renames& renames);
  void find_last_words(std::unordered_map<ObjectKey, std::size_t>& last) const;
  void find_missing(const Renames& renames);
  void add_removals(Steps& steps) const;
  void follow(std::vector<Rename>& steps);

  std::vector<std::span<const std::byte>> taken_;
  std::size_t count_ = 0;
  std::size_t overflowed_ = 0;  // the number after that of the last record that says so
  std::vector<std::pair<ObjectKey, Departure>> departures_;  // in order of position
  std::unordered_multimap<ObjectKey, std::size_t> departures_of_;
  std::size_t indexed_ = 0;  // departures that have an entry there
  std::vector<Rename> renames_;
  std::vector<Brief> brief_;  // made and removed within one record, in order of position
  bool looked_through_ = true;
  std::unordered_map<std::size_t, FanotifyEvent> missing_;  // by position
  std::vector<Wanderer> wanderers_;
};

}  // namespace notify_core::backend
