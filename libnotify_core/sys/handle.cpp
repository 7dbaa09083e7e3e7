// SPDX-License-Identifier: GPL-2.0-or-later
#include "sys/handle.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/fanotify.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <memory>
#include <sstream>

#include "sys/syscall.hpp"

#ifndef AT_HANDLE_FID
#define AT_HANDLE_FID 0x200
#endif

namespace notify_core::sys {
namespace {

int failed() {
  return -errno;
}

// As proc(5) writes paths: a blank is "\\040".
std::string without_escapes(const std::string& text) {
  std::string plain;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '\\' && at + 3 < text.size()) {
      plain += static_cast<char>((text[at + 1] - '0') * 64 + (text[at + 2] - '0') * 8 + (text[at + 3] - '0'));
      at += 3;
    } else {
      plain += text[at];
    }
  }
  return plain;
}

}  // namespace

int fanotify_init(unsigned flags) {
  const int fd = ::fanotify_init(flags | FAN_CLOEXEC | FAN_NONBLOCK, O_RDONLY | O_CLOEXEC | O_LARGEFILE);
  return fd < 0 ? failed() : fd;
}

int fanotify_mark(int fanotify, unsigned flags, std::uint64_t mask, int directory, const char* path) {
  return ::fanotify_mark(fanotify, flags, mask, directory, path) < 0 ? failed() : 0;
}

int name_to_handle(int directory, const char* path, int flags, std::string& handle, int& mount) {
  alignas(file_handle) char raw[sizeof(file_handle) + MAX_HANDLE_SZ];
  file_handle* buffer = new (raw) file_handle;
  buffer->handle_bytes = MAX_HANDLE_SZ;
  int status = ::name_to_handle_at(directory, path, buffer, &mount, flags);
  if (status < 0 && errno == EOPNOTSUPP) {
    buffer->handle_bytes = MAX_HANDLE_SZ;
    status = ::name_to_handle_at(directory, path, buffer, &mount, flags | AT_HANDLE_FID);
  }
  if (status < 0) return failed();
  handle.assign(raw, sizeof(file_handle) + buffer->handle_bytes);
  return 0;
}

int open_by_handle(int mount, std::string_view handle) {
  alignas(file_handle) char raw[sizeof(file_handle) + MAX_HANDLE_SZ];
  if (handle.size() < sizeof(file_handle) || handle.size() > sizeof raw) return -EINVAL;
  std::memcpy(raw, handle.data(), handle.size());
  const int fd = ::open_by_handle_at(mount, reinterpret_cast<file_handle*>(raw), O_PATH | O_CLOEXEC);
  return fd < 0 ? failed() : fd;
}

int filesystem_id(int fd, std::string& id) {
  struct statfs facts;
  if (::fstatfs(fd, &facts) < 0) return failed();
  static_assert(sizeof facts.f_fsid == 8);
  id.assign(reinterpret_cast<const char*>(&facts.f_fsid), sizeof facts.f_fsid);
  return 0;
}

int path_of(int fd, std::string& path) {
  constexpr std::string_view deleted = " (deleted)";
  char link[64];
  std::snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  char text[PATH_MAX];
  const ssize_t length = ::readlink(link, text, sizeof text);
  if (length < 0) return failed();
  path.assign(text, static_cast<std::size_t>(length));
  struct stat facts;
  const bool gone = ::fstat(fd, &facts) == 0 && facts.st_nlink == 0;
  if (gone && path.ends_with(deleted)) path.resize(path.size() - deleted.size());
  return 0;
}

FileTimes times_at(int directory, const char* path, int flags) {
  struct statx raw;
  if (::statx(directory, path, flags, STATX_INO | STATX_BTIME | STATX_MTIME | STATX_CTIME, &raw) != 0)
    return {};
  const auto told = [&](unsigned what, const statx_timestamp& time) {
    return (raw.stx_mask & what) ? time.tv_sec * std::int64_t{1'000'000'000} + time.tv_nsec : 0;
  };
  return {raw.stx_ino, told(STATX_BTIME, raw.stx_btime), told(STATX_MTIME, raw.stx_mtime),
          told(STATX_CTIME, raw.stx_ctime)};
}

std::string absolute_path(const std::string& path) {
  const std::unique_ptr<char, decltype(&std::free)> resolved(::realpath(path.c_str(), nullptr), &std::free);
  return resolved ? std::string(resolved.get()) : std::string();
}

std::vector<std::string> directories_in(const std::string& path) {
  std::vector<std::string> names;
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(path.c_str()), &::closedir);
  while (const dirent* entry = directory ? ::readdir(directory.get()) : nullptr) {
    const std::string_view name = entry->d_name;
    const bool may_be = entry->d_type == DT_DIR || entry->d_type == DT_UNKNOWN;
    if (may_be && name != "." && name != "..") names.emplace_back(name);
  }
  return names;
}

std::string mount_of_whole(std::uint64_t device) {
  std::ifstream mounts("/proc/self/mountinfo");
  for (std::string line; std::getline(mounts, line);) {
    std::istringstream fields(line);
    std::string number, above, devices, root, place;
    fields >> number >> above >> devices >> root >> place;
    unsigned major = 0, minor = 0;
    if (std::sscanf(devices.c_str(), "%u:%u", &major, &minor) != 2) continue;
    if (makedev(major, minor) == device && root == "/") return without_escapes(place);
  }
  return {};
}

int process_id() {
  return ::getpid();
}

std::string program_name(int process) {
  char path[64];
  std::snprintf(path, sizeof path, "/proc/%d/comm", process);
  const Fd file(open_at(AT_FDCWD, path, O_RDONLY));
  char text[64];
  const std::ptrdiff_t size = file ? read(file.get(), text, sizeof text) : 0;
  if (size <= 0) return {};
  return std::string(text, static_cast<std::size_t>(size) - (text[size - 1] == '\n' ? 1 : 0));
}

}  // namespace notify_core::sys
