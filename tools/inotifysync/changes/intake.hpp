// SPDX-License-Identifier: GPL-2.0-or-later
// Events become dirty paths. Pure but for the view of the file system: the caller says what time it is.
//
// - A file that is written goes when it is closed; see changes/settling.hpp for those that are not.
// - The two halves of a rename may come in two reads: the first one waits a moment for the second.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "inotifysync/changes/batch.hpp"
#include "inotifysync/changes/change_set.hpp"
#include "inotifysync/changes/settling.hpp"
#include "notify_core/event.hpp"

namespace inotifysync {

class PatternList;

class Intake {
 public:
  using Time = Settling::Time;

  // `files` and `patterns` outlive it.
  Intake(FileSystemView& files, const PatternList& patterns, Settling::Limits limits)
      : files_(files), patterns_(patterns), settling_(limits) {}

  // What to watch for.
  static notify_core::EventMask wanted_events();

  // `path` is relative to the source, "" the source itself.
  void event(const notify_core::Event& event, std::string_view path, Time now);
  // Something happened to `path`, or nothing: asked for paths of which no more is known. A path that is as it
  // was when last hinted at is left out, for reading a file may be what the hint is about. `now` is in
  // nanoseconds, as FileInfo::changed.
  void hint(std::string_view path, std::uint64_t now);

  // It was written to, of which no event told.
  void found_written(std::string_view path, Time now);

  // Marks what time has made due. To be called no later than at next_due().
  void tick(Time now);
  std::optional<Time> next_due() const;
  // Nothing is kept back any longer.
  void release_all();

  bool empty() const { return fresh_.empty() && complete_.empty(); }
  ChangeSet take();
  bool keeps_back(std::string_view path) const { return settling_.holds(path); }
  std::size_t kept_back() const { return settling_.size(); }

 private:
  struct MovedFrom {
    std::uint32_t cookie;
    std::string path;
    Time at;
  };

  bool hidden(std::string_view path, bool directory) const;
  void mark(std::string_view path, Dirt dirt);
  void mark_other_names(std::string_view path, Dirt dirt);
  void shown_elsewhere(notify_core::EventMask done, std::string_view path, Time now);
  void changed(notify_core::EventMask done, std::string_view path, Time now);
  void lose_name(std::string_view path);
  void mark_closed(std::string_view path, Dirt dirt);
  void mark_complete();
  void created(const notify_core::Event& event, std::string_view path, bool directory, Time now);
  void written(std::string_view path, Time now);
  Dirt let_go(std::string_view path);
  void moved_to(std::uint32_t cookie, std::string_view path, bool directory);
  void give_up_move();

  FileSystemView& files_;
  const PatternList& patterns_;
  Settling settling_;
  ChangeSet fresh_;
  std::unordered_set<std::string> born_;      // kept back since they were made: no target has them
  std::unordered_set<std::string> complete_;  // made and closed since the last take()
  std::optional<MovedFrom> moved_from_;
  std::unordered_map<std::string, std::uint64_t> hinted_;  // what the path looked like
};

}  // namespace inotifysync
