// SPDX-License-Identifier: GPL-2.0-or-later
#include "sys/syscall.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/inotify.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cstdio>
#include <exception>
#include <system_error>
#include <utility>

namespace notify_core::sys {
namespace {

template <class Number>
Number checked(Number returned) {
  return returned < 0 ? static_cast<Number>(-errno) : returned;
}

template <class Call>
auto uninterrupted(Call call) {
  auto returned = checked(call());
  while (returned == -EINTR) returned = checked(call());
  return returned;
}

}  // namespace

Error error(int status, std::string_view call, std::string_view path) {
  return Error{-status, std::string(call), std::string(path), {}};
}

int open_at(int directory, const char* path, int flags, unsigned mode) {
  return uninterrupted([&] { return ::openat(directory, path, flags | O_CLOEXEC, mode); });
}

int inotify_init() {
  return checked(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
}

int inotify_add_watch(int inotify, const char* path, std::uint32_t mask) {
  return checked(::inotify_add_watch(inotify, path, mask));
}

int inotify_remove_watch(int inotify, int watch) {
  return checked(::inotify_rm_watch(inotify, watch));
}

[[gnu::hot]] std::ptrdiff_t read(int fd, void* buffer, std::size_t size) {
  return checked(::read(fd, buffer, size));
}

[[gnu::hot]] std::ptrdiff_t write(int fd, const void* data, std::size_t size) {
  return uninterrupted([&] { return ::write(fd, data, size); });
}

std::ptrdiff_t send_now(int fd, const void* data, std::size_t size) {
  return checked(::send(fd, data, size, MSG_DONTWAIT | MSG_NOSIGNAL));
}

int write_all(int fd, std::string_view data) {
  while (!data.empty()) {
    const std::ptrdiff_t written = write(fd, data.data(), data.size());
    if (written == -EAGAIN) {
      pollfd room{fd, POLLOUT, 0};
      ::poll(&room, 1, -1);
    } else if (written < 0) {
      return static_cast<int>(written);
    } else {
      data.remove_prefix(static_cast<std::size_t>(written));
    }
  }
  return 0;
}

std::ptrdiff_t list_directory(int fd, void* buffer, std::size_t size) {
  return checked(static_cast<std::ptrdiff_t>(::syscall(SYS_getdents64, fd, buffer, size)));
}

int let_reads_wait(int fd, bool wait) {
  return checked(::fcntl(fd, F_SETFL, wait ? 0 : O_NONBLOCK));
}

int enlarge_pipe(int fd, int size) {
  return checked(::fcntl(fd, F_SETPIPE_SZ, size));
}

static int open_again(int fd) {
  char path[64];
  std::snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  return open_at(AT_FDCWD, path, O_WRONLY | O_NONBLOCK | O_NOCTTY);
}

int open_pipe_again(int fd) {
  struct stat facts;
  if (::fstat(fd, &facts) < 0) return -errno;
  return S_ISFIFO(facts.st_mode) ? open_again(fd) : -ENOTSUP;
}

int open_terminal_again(int fd) {
  return ::isatty(fd) == 1 ? open_again(fd) : -ENOTTY;
}

int fork() {
  return checked(::fork());
}
int new_session() {
  return checked(::setsid());
}
int duplicate_onto(int fd, int target) {
  return checked(::dup2(fd, target));
}

std::size_t descriptor_limit() {
  rlimit limit{};
  return ::getrlimit(RLIMIT_NOFILE, &limit) < 0 ? 0 : limit.rlim_cur;
}

int duplicate(int fd) {
  return checked(::fcntl(fd, F_DUPFD_CLOEXEC, 0));
}

int change_directory(int fd) {
  return checked(::fchdir(fd));
}
int change_directory(const char* path) {
  return checked(::chdir(path));
}

std::thread start_with_own_working_directory(std::function<void(bool own)> work) {
  // The new thread inherits the mask: signals go on to the threads that the program made for them.
  sigset_t all, before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  std::thread thread;
  try {
    thread = std::thread([work = std::move(work)] { work(::unshare(CLONE_FS) == 0); });
  } catch (const std::system_error&) {  // no thread to be had (EAGAIN)
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return thread;
}

void run_with_own_working_directory(const std::function<void(bool own)>& work) {
  std::exception_ptr failed;  // out of memory; the caller is to hear of it as if there were no thread
  std::thread thread = start_with_own_working_directory([&work, &failed](bool own) {
    try {
      work(own);
    } catch (...) {
      failed = std::current_exception();
    }
  });
  if (!thread.joinable()) return work(false);
  thread.join();
  if (failed) std::rethrow_exception(failed);
}

int facts_at(int directory, const char* path, int flags, FileFacts& facts) {
  struct statx raw;
  const int status =
      checked(::statx(directory, path, flags, STATX_TYPE | STATX_MODE | STATX_NLINK | STATX_INO, &raw));
  if (status < 0) return status;
  facts.mode = raw.stx_mode;
  facts.links = raw.stx_nlink;
  facts.inode = raw.stx_ino;
  facts.device = ::makedev(raw.stx_dev_major, raw.stx_dev_minor);
  facts.mounted = (raw.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
  return 0;
}

int facts_of(int fd, FileFacts& facts) {
  struct stat raw;
  const int status = checked(::fstat(fd, &raw));
  if (status < 0) return status;
  facts.mode = raw.st_mode;
  facts.links = static_cast<std::uint32_t>(raw.st_nlink);
  facts.inode = raw.st_ino;
  facts.device = raw.st_dev;
  facts.mounted = false;
  return 0;
}

long filesystem_type(int fd) {
  struct statfs raw;
  if (::fstatfs(fd, &raw) < 0) return -errno;
  return static_cast<long>(raw.f_type);
}

int wait_readable(int fd, const std::timespec* timeout) {
  pollfd wanted{fd, POLLIN, 0};
  return checked(::ppoll(&wanted, 1, timeout, nullptr));
}

int wait_for_either(int readable, int writable, const std::timespec* timeout) {
  pollfd wanted[] = {{readable, POLLIN, 0}, {writable, POLLOUT, 0}};
  const int ready = checked(::ppoll(wanted, 2, timeout, nullptr));
  return ready > 0 ? 1 : ready;
}

void pause_for(std::int64_t nanoseconds) {
  const std::timespec length{nanoseconds / 1'000'000'000, nanoseconds % 1'000'000'000};
  ::nanosleep(&length, nullptr);
}

[[gnu::hot]] std::timespec now(clockid_t clock) {
  std::timespec time{};
  ::clock_gettime(clock, &time);
  return time;
}

}  // namespace notify_core::sys
