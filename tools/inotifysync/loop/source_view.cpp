// SPDX-License-Identifier: GPL-2.0-or-later
#include "inotifysync/loop/source_view.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <cerrno>
#include <cstring>
#include <ctime>
#include <vector>

#include "sys/fd.hpp"
#include "sys/syscall.hpp"

namespace inotifysync {
namespace {

namespace sys = notify_core::sys;

FileInfo::Type type_of(std::uint32_t mode) {
  switch (mode & S_IFMT) {
    case S_IFREG:
      return FileInfo::Type::file;
    case S_IFDIR:
      return FileInfo::Type::directory;
    case S_IFLNK:
      return FileInfo::Type::symlink;
    default:
      return FileInfo::Type::other;
  }
}

template <class Time>
std::uint64_t nanoseconds(const Time& time) {
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(time.tv_nsec);
}

}  // namespace

std::string SourceView::way_to(const std::string& path) const {
  if (directory_ != AT_FDCWD) return path.empty() ? "." : path;
  return path.empty() ? root_ : root_ + "/" + path;
}

FileInfo SourceView::lstat(const std::string& path) {
  FileInfo info;
  struct statx raw;
  constexpr unsigned wanted = STATX_TYPE | STATX_SIZE | STATX_INO | STATX_NLINK | STATX_CTIME | STATX_MTIME;
  if (::statx(directory_, way_to(path).c_str(), AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, wanted, &raw) < 0) {
    info.type = errno == ENOENT || errno == ENOTDIR ? FileInfo::Type::missing : FileInfo::Type::unreadable;
    return info;
  }
  info.type = type_of(raw.stx_mode);
  info.size = raw.stx_size;
  info.device = ::makedev(raw.stx_dev_major, raw.stx_dev_minor);
  info.inode = raw.stx_ino;
  info.links = raw.stx_nlink;
  info.changed = nanoseconds(raw.stx_ctime);
  info.modified = nanoseconds(raw.stx_mtime);
  return info;
}

std::uint64_t SourceView::now() {
  timespec time{};
  ::clock_gettime(CLOCK_REALTIME, &time);
  return nanoseconds(time);
}

bool SourceView::list(const std::string& path, const std::function<void(std::string_view name)>& visit) {
  const sys::Fd directory(
      sys::open_at(directory_, way_to(path).c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  if (!directory) return false;
  std::vector<char> buffer(32768);
  while (true) {
    const auto size = sys::list_directory(directory.get(), buffer.data(), buffer.size());
    if (size <= 0) return size == 0;
    for (std::ptrdiff_t at = 0; at < size;) {
      unsigned short length = 0;
      const char* const entry = buffer.data() + at;
      std::memcpy(&length, entry + offsetof(dirent64, d_reclen), sizeof length);
      const std::string_view name(entry + offsetof(dirent64, d_name));
      if (name != "." && name != "..") visit(name);
      at += length;
    }
  }
}

}  // namespace inotifysync
