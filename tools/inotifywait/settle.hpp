// SPDX-License-Identifier: GPL-2.0-or-later
// One event a path, once nothing has happened to it for a while.
#pragma once

#include <list>
#include <optional>
#include <string>
#include <unordered_map>

#include "inotifywait/kept_event.hpp"

namespace notify_tools::inotifywait {

// Memory grows with the number of paths that something happened to within `quiet`. Pure: the time is told.
class Settle {
 public:
  explicit Settle(std::chrono::nanoseconds quiet) : quiet_(quiet) {}

  void take(const notify_core::Event& event, Time now);
  // Hands on what has been quiet for long enough, the path that has been so for longest first.
  void expire(Time now, const Emit& emit);
  // Hands on everything.
  void finish(const Emit& emit);
  std::optional<Time> next_due() const;

 private:
  struct Unsettled {
    KeptEvent event;
    Time due;
    std::string path;
  };

  std::chrono::nanoseconds quiet_;
  std::list<Unsettled> unsettled_;  // by due
  std::unordered_map<std::string, std::list<Unsettled>::iterator> by_path_;
};

}  // namespace notify_tools::inotifywait
