// SPDX-License-Identifier: GPL-2.0-or-later
#include "inotifysync/loop/system.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>

#include "sys/fd.hpp"
#include "sys/syscall.hpp"

namespace inotifysync {
namespace {

namespace sys = notify_core::sys;
using notify_core::Result;

bool is_empty_directory(const sys::Fd& directory) {
  alignas(8) char entries[4096];  // more than "." and ".." need: an entry takes 280 bytes at most
  const auto size = sys::list_directory(directory.get(), entries, sizeof entries);
  constexpr std::ptrdiff_t dot_and_dot_dot = 48;
  return size >= 0 && size <= dot_and_dot_dot;
}

}  // namespace

sys::Fd open_source(const std::string& path) {
  return sys::Fd(sys::open_at(AT_FDCWD, path.c_str(), O_RDONLY | O_DIRECTORY));
}

Result<void> check_source(const std::string& path, const std::string& given) {
  const sys::Fd source = open_source(path);
  if (!source) return sys::error(source.get(), "open", given);
  return {};
}

SourceFacts look_at_source(const std::string& path) {
  return look_at_source(open_source(path));
}

std::string path_for_children(const sys::Fd& directory) {
  const std::string us = std::to_string(::getpid());
  std::array<char, 32> self;
  const auto size = ::readlink("/proc/self", self.data(), self.size());
  if (size < 0 || std::string_view(self.data(), static_cast<std::size_t>(size)) != us) return {};
  if (!directory || ::prctl(PR_GET_DUMPABLE) != 1) return {};
  return "/proc/" + us + "/fd/" + std::to_string(directory.get());
}

std::string path_for_heir(const sys::Fd& directory) {
  std::string path = "/proc/self/fd/" + std::to_string(directory.get());
  return ::access(path.c_str(), F_OK) == 0 ? path : std::string();
}

SourceFacts look_at_source(const sys::Fd& directory) {
  SourceFacts facts;
  struct statx raw;
  const int status = !directory ? directory.get()
                     : ::statx(directory.get(), "", AT_EMPTY_PATH, STATX_TYPE | STATX_INO, &raw) < 0 ? -errno
                                                                                                     : 0;
  if (status != -ENOENT && status != -ENOTDIR) facts.error = -status;
  if (status < 0) return facts;
  facts.is_directory = true;
  facts.device = ::makedev(raw.stx_dev_major, raw.stx_dev_minor);
  facts.inode = raw.stx_ino;
  facts.is_mount_root = (raw.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
  facts.filesystem_type = sys::filesystem_type(directory.get());
  facts.is_empty = is_empty_directory(directory);
  return facts;
}

Result<std::string> real_path(const std::string& path) {
  const std::unique_ptr<char, decltype(&std::free)> real(::realpath(path.c_str(), nullptr), std::free);
  if (!real) return sys::error(-errno, "realpath", path);
  return std::string(real.get());
}

std::string absolute_path(const std::string& path) {
  std::error_code failed;
  std::string whole = path.starts_with('/') ? "" : std::filesystem::current_path(failed).string();
  if (failed) return {};
  if (whole == "/") whole.clear();
  bool at_start = true;  // from where we are, which is no link, ".." leads to what the text says
  for (const auto& part : std::filesystem::path(path)) {
    if (part.empty() || part == "." || part == "/") continue;
    at_start = at_start && part == "..";
    if (at_start)
      whole.erase(std::min(whole.rfind('/'), whole.size()));
    else
      whole += "/" + part.string();
  }
  return whole.empty() ? "/" : whole;
}

Result<std::string> read_file(const std::string& path) {
  const sys::Fd file(sys::open_at(AT_FDCWD, path.c_str(), O_RDONLY));
  if (!file) return sys::error(file.get(), "open", path);
  std::string text;
  char buffer[16384];
  while (true) {
    const auto size = sys::read(file.get(), buffer, sizeof buffer);
    if (size < 0) return sys::error(static_cast<int>(size), "read", path);
    if (size == 0) return text;
    text.append(buffer, static_cast<std::size_t>(size));
  }
}

Result<FileAccess> file_access(const std::string& path) {
  struct stat raw;
  if (::stat(path.c_str(), &raw) < 0) return sys::error(-errno, "stat", path);
  return FileAccess{raw.st_mode, raw.st_uid, raw.st_gid, ::geteuid(), ::getegid()};
}

Result<std::string> make_private_directory() {
  constexpr std::string_view name = "/inotifysync-XXXXXX";
  // The address of a socket holds 108 bytes; ssh's %C takes 40 of them, and its temporary name 17.
  constexpr std::size_t most = 108 - (1 + 40 + 17 + 1);
  const char* const runtime = std::getenv("XDG_RUNTIME_DIR");
  const std::string_view base = runtime != nullptr ? runtime : "";
  const bool fits = base.substr(0, 1) == "/" && base.size() + name.size() <= most;
  if (std::string path = std::string(base).append(name); fits && ::mkdtemp(path.data()) != nullptr)
    return path;
  std::string path = std::string("/tmp").append(name);
  if (::mkdtemp(path.data()) == nullptr) return sys::error(-errno, "mkdtemp", path);
  return path;
}

bool is_private_directory(const std::string& path) {
  struct stat raw;
  return ::lstat(path.c_str(), &raw) == 0 && S_ISDIR(raw.st_mode) && raw.st_uid == ::geteuid() &&
         (raw.st_mode & 077) == 0;
}

void remove_directory(const std::string& path) {
  if (DIR* const directory = ::opendir(path.c_str())) {
    while (const dirent* const entry = ::readdir(directory)) ::unlinkat(::dirfd(directory), entry->d_name, 0);
    ::closedir(directory);
  }
  ::rmdir(path.c_str());
}

Result<void> replace_file(const std::string& path, std::string_view text, unsigned mode) {
  struct stat old;
  const bool stays = ::lstat(path.c_str(), &old) == 0 && !S_ISREG(old.st_mode) && !S_ISLNK(old.st_mode);
  if (stays) return notify_core::Error{0, "", path, "it is no ordinary file"};
  // In a place that others share, a name that can be guessed could be somebody else's file.
  std::string beside = path + ".XXXXXX";
  sys::Fd file(::mkostemp(beside.data(), O_CLOEXEC));
  if (!file) return sys::error(-errno, "mkostemp", beside);
  const auto failed = [&](int status, const char* call) {
    ::unlink(beside.c_str());
    return sys::error(status, call, beside);
  };
  if (::fchmod(file.get(), mode) < 0) return failed(-errno, "fchmod");
  if (const int status = sys::write_all(file.get(), text); status < 0) return failed(status, "write");
  if (::rename(beside.c_str(), path.c_str()) < 0) return failed(-errno, "rename");
  return {};
}

void remove_file(const std::string& path) {
  ::unlink(path.c_str());
}

Result<void> detach() {
  const sys::Fd nothing(sys::open_at(AT_FDCWD, "/dev/null", O_RDWR));
  if (!nothing) return sys::error(nothing.get(), "open", "/dev/null");
  const pid_t child = ::fork();
  if (child < 0) return sys::error(-errno, "fork");
  if (child > 0) ::_exit(0);
  ::setsid();
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) ::dup2(nothing.get(), stream);
  return {};
}

void tell_service_manager(std::string_view state) {
  const char* name = std::getenv("NOTIFY_SOCKET");
  if (name == nullptr || (*name != '/' && *name != '@')) return;
  sockaddr_un address{};
  const std::size_t length = std::strlen(name);
  if (length >= sizeof address.sun_path) return;
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, name, length);
  if (*name == '@') address.sun_path[0] = '\0';  // an abstract address
  const sys::Fd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + length);
  ::sendto(socket.get(), state.data(), state.size(), MSG_NOSIGNAL,
           reinterpret_cast<const sockaddr*>(&address), size);
}

}  // namespace inotifysync
