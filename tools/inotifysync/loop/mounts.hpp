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

// By which statx(2) calls the mounts in `table`.
std::vector<std::uint64_t> mount_ids(std::string_view table);

// Where `path`, absolute and without links, lies by the device and the path on it: the same for two paths to
// one place, whatever is mounted where. The path itself where `table` does not tell.
std::string place_on_disk(std::string_view table, std::string_view path);

}  // namespace inotifysync
