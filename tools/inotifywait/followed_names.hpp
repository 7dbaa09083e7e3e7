// SPDX-License-Identifier: GPL-2.0-or-later
// Names that are watched whatever file bears them: by way of the directories they are in.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "inotifywait/kept_event.hpp"

namespace notify_tools::inotifywait {

// Pure: the time is told.
class FollowedNames {
 public:
  // How long a name may be missing before it counts as gone: editors that save by renaming leave a gap.
  static constexpr std::chrono::seconds patience{1};

  // False: `path` ends in no name of its own ("d/", "..").
  bool add(const std::string& path, bool exists, Time now);

  // What to watch: each directory once, in the order in which its first name was added.
  const std::vector<std::string>& directories() const { return directories_; }

  // Turns an event of a directory into one of a followed name; false: it is of no such name.
  bool translate(notify_core::Event& event, Time now);

  // When the last of the names counts as gone; nothing while one exists.
  std::optional<Time> all_gone() const;

 private:
  struct Name {
    std::string path;  // as the operand was given
    std::optional<Time> missing_since;
  };

  std::vector<std::string> directories_;
  std::map<std::string, Name, std::less<>> names_;  // by the path as the directory's watch says it
};

// What has to be asked of the directory to hear `events` of a name in it.
notify_core::EventMask events_of_entry(notify_core::EventMask events);

}  // namespace notify_tools::inotifywait
