// SPDX-License-Identifier: GPL-2.0-or-later
#include "watch/places.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstddef>
#include <utility>

#include "sys/syscall.hpp"

#ifndef XFS_SUPER_MAGIC
#define XFS_SUPER_MAGIC 0x58465342
#endif

namespace notify_core::watch {

int open_path(int from, std::string path, int flags) {
  constexpr std::size_t longest = 4000;  // PATH_MAX with room to spare
  sys::Fd above;
  std::size_t at = 0;
  while (path.size() - at > longest) {
    const std::size_t cut = path.rfind('/', at + longest);
    if (cut == std::string::npos || cut <= at) return -ENAMETOOLONG;
    path[cut] = '\0';
    above.reset(sys::open_at(above ? above.get() : from, path.c_str() + at, O_PATH | O_DIRECTORY));
    if (!above) return -ENOENT;
    at = cut + 1;
  }
  return sys::open_at(above ? above.get() : from, path.c_str() + at, flags);
}

int open_node(const WatchTree& tree, NodeId node, int flags) {
  return open_path(AT_FDCWD, std::string(tree.path(node)), flags);
}

bool vanished(int status) {
  return status == -ENOENT || status == -ENOTDIR || status == -ELOOP;
}

bool out_of_descriptors(int status) {
  return status == -EMFILE || status == -ENFILE;
}

bool limit_reached(int status) {
  return status == -ENOSPC || out_of_descriptors(status);
}

bool is_directory(const sys::Fd& directory, const char* name, unsigned char type) {
  if (type != DT_UNKNOWN) return type == DT_DIR;
  sys::FileFacts facts;
  return sys::facts_at(directory.get(), name, AT_SYMLINK_NOFOLLOW, facts) == 0 && S_ISDIR(facts.mode);
}

// Not so on btrfs (always 1) and overlayfs (1 where directories are merged); elsewhere it is not taken on
// trust.
bool link_count_counts(int directory) {
  const long type = sys::filesystem_type(directory);
  return type == EXT4_SUPER_MAGIC || type == TMPFS_MAGIC || type == XFS_SUPER_MAGIC;
}

}  // namespace notify_core::watch
