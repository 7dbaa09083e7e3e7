// SPDX-License-Identifier: GPL-2.0-or-later
#include "inotifysync/loop/pid_file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "sys/syscall.hpp"

namespace inotifysync {
namespace {

namespace sys = notify_core::sys;
using notify_core::Error;
using notify_core::Result;

std::string start_of(const sys::Fd& file) {
  char text[32];
  const auto size = sys::read(file.get(), text, sizeof text);
  return std::string(text, size > 0 ? static_cast<std::size_t>(size) : 0);
}

Error runs_already(const std::string& path, const sys::Fd& file) {
  std::string pid = start_of(file);
  pid = pid.substr(0, pid.find_first_not_of("0123456789"));
  return {0, "", path, "inotifysync runs already" + (pid.empty() ? "" : " (pid " + pid + ")")};
}

// It would be gone at the end.
std::string fault_of(const sys::Fd& file) {
  struct stat facts;
  if (::fstat(file.get(), &facts) == 0 && !S_ISREG(facts.st_mode))
    return "is no ordinary file, and cannot be the pid file";
  std::string text = start_of(file);
  if (!text.empty() && text.back() == '\n') text.pop_back();
  if (text.find_first_not_of("0123456789") == std::string::npos) return {};
  return "holds something else than a process id, and cannot be the pid file";
}

bool is_at(const sys::Fd& file, const std::string& path) {
  struct stat ours, there;
  return ::fstat(file.get(), &ours) == 0 && ::lstat(path.c_str(), &there) == 0 &&
         ours.st_dev == there.st_dev && ours.st_ino == there.st_ino;
}

// What stands at `path`, locked so that nobody else takes it for left behind; without a descriptor where
// nothing does.
Result<sys::Fd> lock_old(const std::string& path) {
  while (true) {
    sys::Fd old(sys::open_at(AT_FDCWD, path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK));
    if (old.get() == -ENOENT || old.get() == -ELOOP) return sys::Fd();  // a link is replaced, not followed
    if (!old) return sys::error(old.get(), "open", path);
    if (::flock(old.get(), LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK) return runs_already(path, old);
    if (!is_at(old, path)) continue;
    if (const std::string fault = fault_of(old); !fault.empty()) return Error{0, "", path, fault};
    return old;
  }
}

}  // namespace

PidFile::PidFile(PidFile&& other) noexcept
    : path_(std::exchange(other.path_, {})), file_(std::move(other.file_)) {}

PidFile& PidFile::operator=(PidFile&& other) noexcept {
  if (this == &other) return *this;
  remove();
  path_ = std::exchange(other.path_, {});
  file_ = std::move(other.file_);
  return *this;
}

Result<void> PidFile::check(const std::string& path) {
  if (const auto old = lock_old(path); !old) return old.error();
  return {};
}

Result<PidFile> PidFile::create(const std::string& path) {
  const auto old = lock_old(path);
  if (!old) return old.error();
  // It is written and locked before it has its name, so that nobody sees it empty.
  std::string beside = path + ".XXXXXX";
  sys::Fd file(::mkostemp(beside.data(), O_CLOEXEC));
  if (!file) return sys::error(-errno, "mkostemp", path);
  const auto failed = [&](int status, const char* call) {
    ::unlink(beside.c_str());
    return sys::error(status, call, path);
  };
  if (::fchmod(file.get(), 0644) < 0) return failed(-errno, "fchmod");
  ::flock(file.get(), LOCK_EX);  // where the filesystem knows no locks, the file is one without
  if (const int status = sys::write_all(file.get(), std::to_string(::getpid()) + "\n"); status < 0)
    return failed(status, "write");
  if (::rename(beside.c_str(), path.c_str()) < 0) return failed(-errno, "rename");
  return PidFile(path, std::move(file));
}

void PidFile::remove() {
  if (!path_.empty() && is_at(file_, path_)) ::unlink(path_.c_str());
  path_.clear();
}

}  // namespace inotifysync
