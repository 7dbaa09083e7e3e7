// SPDX-License-Identifier: GPL-2.0-or-later
#include "inotifysync/delivery/target_guard.hpp"

#include <algorithm>
#include <utility>

namespace inotifysync {
namespace {

bool has(const std::vector<std::uint64_t>& all, std::uint64_t one) {
  return std::find(all.begin(), all.end(), one) != all.end();
}

}  // namespace

// What it is on now was there before, under what is gone. A filesystem mounted in its stead is another
// matter.
bool TargetGuard::is_uncovered(const TargetFacts& now) const {
  return known_->is_there && known_->mount != now.mount && has(known_->mounts, now.mount) &&
         !has(now.mounts, known_->mount);
}

TargetVerdict TargetGuard::judge(const TargetFacts& now) {
  if (!now.fault.empty()) return TargetVerdict::misplaced;
  if (known_ && is_uncovered(now)) return TargetVerdict::unmounted;
  const std::optional<TargetFacts> before = std::exchange(known_, now);
  if (!before || !before->is_there) return TargetVerdict::trusted;
  const bool same = now.is_there && now.device == before->device && now.inode == before->inode &&
                    now.mount == before->mount;
  return same ? TargetVerdict::trusted : TargetVerdict::changed;
}

}  // namespace inotifysync
