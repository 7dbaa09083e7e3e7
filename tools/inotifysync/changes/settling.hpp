// SPDX-License-Identifier: GPL-2.0-or-later
// Files that somebody is still writing: kept back until they are closed, left alone for a while, or overdue.
// Pure: the caller says what time it is.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace inotifysync {

class Settling {
 public:
  using Time = std::chrono::steady_clock::time_point;
  struct Limits {
    std::chrono::nanoseconds settle;  // left alone for this long: goes, closed or not
    std::chrono::nanoseconds
        max_delay;             // written without a pause: goes after this long, and again after as long
    std::size_t most = 65536;  // files kept back at once, at about 200 bytes each and their names
  };
  explicit Settling(Limits limits) : limits_(limits) {}

  // `path` was written to. False: no room to keep it back, it must go at once.
  bool written(std::string_view path, Time now);
  // It was closed, deleted or moved. True: it had been kept back.
  bool released(std::string_view path);
  // The directory `from` was renamed to `to`: what is kept back below it has new names.
  void moved_below(std::string_view from, std::string_view to);
  bool holds(std::string_view path) const { return files_.contains(std::string(path)); }

  // Takes out what has to go by now.
  std::vector<std::string> take_due(Time now);
  // Takes out everything.
  std::vector<std::string> take_all();
  // When take_due() is next worth a call: not before it, and with little delay after it.
  std::optional<Time> next_due() const { return next_due_; }

  std::size_t size() const { return files_.size(); }

 private:
  struct Written {
    Time first, last;
  };
  Time due(const Written& file) const;

  Limits limits_;
  std::unordered_map<std::string, Written> files_;
  std::optional<Time> next_due_;  // may be early: a file written again moves its own time, not this one
};

}  // namespace inotifysync
