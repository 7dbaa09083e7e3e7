// SPDX-License-Identifier: GPL-2.0-or-later
// Runs that read whole trees, a full pass say, bring over what no event has told of yet. When the event comes
// and says that something was born, a target may have it already, and of it what was gone before anybody
// could tell. Pure: the caller says what time it is.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace inotifysync {

class TreeReads {
 public:
  using Time = std::chrono::steady_clock::time_point;

  // A run will read these whole; "" is the source itself.
  void begin(const std::vector<std::string>& trees) { trees_.insert(trees.begin(), trees.end()); }
  // Whether that is one of them, or lies in one.
  bool covers(std::string_view path) const {
    if (trees_.contains("") || trees_.contains(path)) return true;
    for (auto slash = path.find('/'); slash != std::string_view::npos; slash = path.find('/', slash + 1))
      if (trees_.contains(path.substr(0, slash))) return true;
    return false;
  }

  // Asked once in every round: whether a target may know what was told to be born since the last one.
  // `reading`: a run reads trees now. `told`: events were read in this round, so that more may be queued.
  bool doubt(bool reading, bool told, Time now) {
    if (reading || was_reading_) {
      last_ = now;
      caught_up_ = false;
    }
    was_reading_ = reading;
    const bool doubtful = last_ && (!caught_up_ || now - *last_ < lag);
    if (!doubtful) trees_.clear();
    caught_up_ = caught_up_ || (!reading && !told);
    return doubtful;
  }

 private:
  // Of a directory that came when its tree was read, the watcher may tell this much later.
  static constexpr auto lag = std::chrono::milliseconds(100);

  std::set<std::string, std::less<>> trees_;
  std::optional<Time> last_;
  bool was_reading_ = false;
  bool caught_up_ = true;  // the queue of events was empty since
};

}  // namespace inotifysync
