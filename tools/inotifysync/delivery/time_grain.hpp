// SPDX-License-Identifier: GPL-2.0-or-later
// How exactly a target keeps times. What is compared to the nanosecond with one that keeps whole seconds
// (ext3, or two of them: FAT) differs in every file, and each full pass would send them all again. It shows
// where one full pass sends what the one before it has sent, as nothing but the times differ. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "inotifysync/rsync/rsync_outcome.hpp"

namespace inotifysync {

class TimeGrain {
 public:
  // For --modify-window: to the nanosecond, to the second, or with a second to and fro.
  int window() const { return window_; }

  // A full pass has sent `sent`, and perhaps more. `modified(name)`: its time in the source, in nanoseconds.
  void full_pass(const std::vector<Outcome::Sent>& sent,
                 const std::function<std::uint64_t(std::string_view name)>& modified) {
    std::unordered_map<std::string, std::uint64_t> now;
    std::size_t again = 0;
    for (const Outcome::Sent& file : sent) {
      const std::uint64_t time = modified(file.name);
      const auto before = before_.find(file.name);
      if (file.time_alone && before != before_.end() && before->second == time) ++again;
      now.emplace(file.name, time);
    }
    // Somebody at the target may touch a few of them each time.
    if (again >= enough && again * 2 > before_.size() && window_ < widest) ++window_;
    before_ = std::move(now);
  }

 private:
  static constexpr std::size_t enough = 8;
  static constexpr int widest = 1;
  int window_ = -1;
  std::unordered_map<std::string, std::uint64_t> before_;  // what the last full pass sent, and its times
};

}  // namespace inotifysync
