// SPDX-License-Identifier: GPL-2.0-or-later
#include "inotifysync/delivery/target_guard.hpp"

#include <algorithm>
#include <utility>

namespace inotifysync {
namespace {

bool has(const std::vector<std::uint64_t>& all, std::uint64_t one) {
  return std::find(all.begin(), all.end(), one) != all.end();
}

// Some filesystems give a directory another number when it was out of memory for a while.
bool is_same(const TargetFacts& one, const TargetFacts& other) {
  return one.is_there && other.is_there && one.device == other.device && one.mount == other.mount &&
         (one.inode == other.inode || (one.birth != 0 && one.birth == other.birth));
}

}  // namespace

// What it is on now was there before, under what is gone. A filesystem mounted in its stead is another
// matter.
bool TargetGuard::is_uncovered(const TargetFacts& now) const {
  return known_->mount != now.mount && has(known_->mounts, now.mount) && !has(now.mounts, known_->mount);
}

TargetVerdict TargetGuard::judge(const TargetFacts& now) {
  if (!now.fault.empty()) return TargetVerdict::misplaced;
  if (known_ && is_uncovered(now)) return TargetVerdict::unmounted;
  const std::optional<TargetFacts> before = std::exchange(known_, now);
  known_->directory.reset();  // an open one keeps its filesystem from being unmounted
  if (!before || !before->is_there) return TargetVerdict::trusted;
  return is_same(now, *before) ? TargetVerdict::trusted : TargetVerdict::changed;
}

}  // namespace inotifysync
