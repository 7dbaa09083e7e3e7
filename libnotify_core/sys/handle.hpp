// SPDX-License-Identifier: GPL-2.0-or-later
// fanotify and file handles: checked system calls, as in sys/syscall.hpp.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace notify_core::sys {

int fanotify_init(unsigned flags);  // non-blocking, close-on-exec
int fanotify_mark(int fanotify, unsigned flags, std::uint64_t mask, int directory, const char* path);

// The handle of what `path` names from `directory`, in the layout of fanotify's records after the
// filesystem's id: length, type, bytes. `flags` as in name_to_handle_at(2). A filesystem that cannot open by
// handle is asked for one that only tells objects apart (AT_HANDLE_FID, Linux 6.5).
int name_to_handle(int directory, const char* path, int flags, std::string& handle, int& mount);
// Opens (O_PATH) what `handle`, in that layout, stands for; `mount` is any descriptor on its filesystem.
// Needs CAP_DAC_READ_SEARCH.
int open_by_handle(int mount, std::string_view handle);
// The eight bytes by which fanotify's records tell filesystems apart.
int filesystem_id(int fd, std::string& id);

// Where a descriptor's object stands in the tree of names: what /proc says. Of a deleted one, where it stood.
int path_of(int fd, std::string& path);
// In nanoseconds since 1970. 0: that cannot be had.
struct FileTimes {  // and which it is
  std::uint64_t inode = 0;
  std::int64_t birth = 0;     // statx(2)'s btime: not every filesystem keeps it
  std::int64_t modified = 0;  // mtime; of a directory: when something in it last came, went or was renamed
  std::int64_t changed = 0;   // ctime: the same, or when it was renamed itself
};
// `flags` as in statx(2); an empty path with AT_EMPTY_PATH asks of the descriptor itself.
FileTimes times_at(int directory, const char* path, int flags);
std::string absolute_path(const std::string& path);  // realpath(3); empty where it cannot be had

// The names of the directories in a directory; none where it cannot be read.
std::vector<std::string> directories_in(const std::string& path);
// A place where all of the filesystem with that device number is mounted, from its top on. Empty: there is
// none.
std::string mount_of_whole(std::uint64_t device);

int process_id();
// As in /proc/PID/comm; empty: there is no such process (any more).
std::string program_name(int process);

}  // namespace notify_core::sys
