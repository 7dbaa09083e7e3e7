// SPDX-License-Identifier: GPL-2.0-or-later
// An event that outlives the watcher's: with its words.
#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "notify_core/event.hpp"

namespace notify_tools::inotifywait {

using Time = std::chrono::steady_clock::time_point;
using Emit = std::function<void(const notify_core::Event&)>;

class KeptEvent {
 public:
  explicit KeptEvent(const notify_core::Event& event)
      : event_(event), watched_(event.watched), name_(event.name), old_path_(event.old_path) {}

  // Valid as long as this is, and is not changed.
  notify_core::Event view() const {
    notify_core::Event event = event_;
    event.watched = watched_;
    event.name = name_;
    event.old_path = old_path_;
    return event;
  }

  std::string path() const { return watched_ + name_; }

  // What happened later to the same path: it counts as one with what happened before.
  void join(const notify_core::Event& later) {
    event_.mask |= later.mask;
    event_.cookie = later.cookie;
    event_.time = later.time;
    event_.pid = later.pid;
    event_.recovered = event_.recovered && later.recovered;
    if (!later.old_path.empty()) old_path_ = later.old_path;
  }

 private:
  notify_core::Event event_;  // its views are not to be used
  std::string watched_;
  std::string name_;
  std::string old_path_;
};

}  // namespace notify_tools::inotifywait
