// SPDX-License-Identifier: GPL-2.0-or-later
// Filesystems that are mounted in the source. One that is unmounted leaves an empty directory, as if
// everything in it had been deleted; nothing may be deleted on such evidence. Pure: the facts are given.
#pragma once

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace inotifysync {

class MountGuard {
 public:
  explicit MountGuard(std::vector<std::string> at_start) : mounted_(std::move(at_start)) {}

  // What is mounted in the source now. True where that is not what it was.
  bool see(std::vector<std::string> now) {
    if (now == mounted_) return false;
    for (std::string& before : std::exchange(mounted_, std::move(now)))
      if (!has(mounted_, before) && !has(unmounted_, before)) unmounted_.push_back(std::move(before));
    std::erase_if(unmounted_, [this](const std::string& path) { return has(mounted_, path); });
    return true;
  }

  // Those that are missed: unmounted, and an empty directory is in their place.
  template <class IsEmptyDirectory>
  const std::vector<std::string>& missed(IsEmptyDirectory is_empty_directory) {
    std::erase_if(unmounted_, [&](const std::string& path) { return !is_empty_directory(path); });
    return unmounted_;
  }

  // Somebody says that it is right. True where any was missed.
  bool forget() { return !std::exchange(unmounted_, {}).empty(); }

 private:
  static bool has(const std::vector<std::string>& all, const std::string& one) {
    return std::find(all.begin(), all.end(), one) != all.end();
  }

  std::vector<std::string> mounted_, unmounted_;
};

}  // namespace inotifysync
