// SPDX-License-Identifier: GPL-2.0-or-later
#include "inotifysync/delivery/source_guard.hpp"

namespace inotifysync {

bool SourceGuard::is_same_come_back(const SourceFacts& now) const {
  if (known_.is_empty) return true;
  // A filesystem may get another device number at its next mount, but a directory of it keeps its inode.
  if (now.inode == known_.inode && now.filesystem_type == known_.filesystem_type) return true;
  return known_.is_mount_root && now.is_mount_root && now.filesystem_type == known_.filesystem_type;
}

SourceVerdict SourceGuard::judge(const SourceFacts& now) {
  if (now.error != 0) return SourceVerdict::unseen;
  if (!now.is_directory) return SourceVerdict::missing;
  if (now.device == known_.device && now.inode == known_.inode) {
    known_.is_empty = known_.is_empty && now.is_empty;
    return SourceVerdict::trusted;
  }
  if (now.is_empty) return SourceVerdict::unmounted;
  if (!is_same_come_back(now)) return SourceVerdict::replaced;
  known_ = now;
  return SourceVerdict::trusted;
}

std::string_view words(SourceVerdict verdict) {
  switch (verdict) {
    case SourceVerdict::trusted:
      return "the source is there";
    case SourceVerdict::missing:
      return "the source is gone";
    case SourceVerdict::unseen:
      return "the source cannot be opened";
    case SourceVerdict::unmounted:
      return "an empty directory is in the source's place: unmounted?";
    case SourceVerdict::replaced:
      return "another directory is in the source's place";
  }
  return "";
}

}  // namespace inotifysync
