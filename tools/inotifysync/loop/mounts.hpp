// SPDX-License-Identifier: GPL-2.0-or-later
// Which other filesystems are mounted in a tree: one mark of fanotify is for one filesystem.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sys/fd.hpp"

namespace inotifysync {

// The mounts that this process sees, as the kernel tells of them (proc_pid_mountinfo(5)); empty without
// /proc.
std::string mount_table();

// A descriptor that epoll(7) reports (EPOLLPRI) when that table has changed; -errno in its place without
// /proc.
notify_core::sys::Fd open_mount_table();

// The mount points in `table` that lie below the directory `root`, an absolute path without a final '/'.
std::vector<std::string> mounts_below(std::string_view table, std::string_view root);

// A mount in `table`: as statx(2) calls it, a number that the next one may get when it is gone; and one that
// tells it from all that are mounted elsewhere, or of something else.
struct Mount {
  std::uint64_t id = 0;
  std::uint64_t mark = 0;
};
std::vector<Mount> mounts_in(std::string_view table);

// Where `path`, absolute and without links, lies by the device and the path on it: the same for two paths to
// one place, whatever is mounted where. The path itself where `table` does not tell.
std::string place_on_disk(std::string_view table, std::string_view path);

}  // namespace inotifysync
