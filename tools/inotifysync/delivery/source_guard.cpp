// SPDX-License-Identifier: GPL-2.0-or-later
#include "inotifysync/delivery/source_guard.hpp"

namespace inotifysync {

bool SourceGuard::is_same_come_back(const SourceFacts& now) const {
  if (known_.is_empty) return true;
  // A filesystem may get another device number at its next mount, but a directory of it keeps its inode.
  if (now.inode == known_.inode && now.filesystem_type == known_.filesystem_type) return true;
  return known_.is_mount_root && now.is_mount_root && now.filesystem_type == known_.filesystem_type;
}

// Nothing was mounted when it gave way: nobody is writing where a filesystem is missing.
bool SourceGuard::has_returned(const SourceFacts& now) const {
  return gave_way_.is_directory && now.device == gave_way_.device && now.inode == gave_way_.inode;
}

bool SourceGuard::knows(const SourceFacts& now) const {
  return now.device == known_.device && now.inode == known_.inode;
}

SourceVerdict SourceGuard::judge(const SourceFacts& now) {
  if (now.error != 0) return SourceVerdict::unseen;
  if (!now.is_directory) return SourceVerdict::missing;
  if (knows(now)) {
    known_.is_empty = known_.is_empty && now.is_empty;
    return SourceVerdict::trusted;
  }
  if (now.is_empty) return SourceVerdict::unmounted;
  if (has_returned(now)) {
    gave_way_ = {};
  } else if (is_same_come_back(now)) {
    const bool moved_over = known_.is_empty && now.device == known_.device && !now.is_mount_root;
    gave_way_ = moved_over ? known_ : SourceFacts{};
  } else {
    return SourceVerdict::replaced;
  }
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
