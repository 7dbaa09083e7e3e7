// SPDX-License-Identifier: GPL-2.0-or-later
#include "sys/handle.hpp"

#include <fcntl.h>
#include <limits.h>
#include <sys/fanotify.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "sys/syscall.hpp"

#ifndef AT_HANDLE_FID
#define AT_HANDLE_FID 0x200
#endif

namespace notify_core::sys {
namespace {

int failed() {
  return -errno;
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

std::string absolute_path(const std::string& path) {
  const std::unique_ptr<char, decltype(&std::free)> resolved(::realpath(path.c_str(), nullptr), &std::free);
  return resolved ? std::string(resolved.get()) : std::string();
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
