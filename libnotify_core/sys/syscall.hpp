// SPDX-License-Identifier: GPL-2.0-or-later
// System calls, checked. Each returns what the call returns or, as inside the kernel, minus the errno; calls
// that EINTR may end are made again where nothing waits for the signal.
#pragma once

#include <sys/stat.h>

#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <functional>
#include <string>
#include <string_view>
#include <thread>

#include "notify_core/error.hpp"
#include "sys/fd.hpp"

namespace notify_core::sys {

// `status` is a negative return value of one of these calls.
[[gnu::cold]] Error error(int status, std::string_view call, std::string_view path = {});

int open_at(int directory, const char* path, int flags, unsigned mode = 0);
int inotify_init();  // non-blocking, close-on-exec
int inotify_add_watch(int inotify, const char* path, std::uint32_t mask);
int inotify_remove_watch(int inotify, int watch);
std::ptrdiff_t read(int fd, void* buffer, std::size_t size);
std::ptrdiff_t write(int fd, const void* data, std::size_t size);
// The same to a socket, and never waits: -EAGAIN. -ENOTSOCK: it is none. Raises no SIGPIPE.
std::ptrdiff_t send_now(int fd, const void* data, std::size_t size);
// Writes all of it, waiting where a non-blocking descriptor is full. 0 or minus the errno.
int write_all(int fd, std::string_view data);
std::ptrdiff_t list_directory(int fd, void* buffer, std::size_t size);  // getdents64(2)
// Whether a read of `fd` waits where there is nothing to read, or says EAGAIN.
int let_reads_wait(int fd, bool wait);
// Makes room for `size` bytes where `fd` is a pipe and the system allows it; else -errno.
int enlarge_pipe(int fd, int size);
// Another descriptor of the pipe that `fd` writes to, on which a write never waits, while `fd` and whoever
// shares it stay as they are. Negative where `fd` is no pipe, or may not be opened again.
int open_pipe_again(int fd);
int open_terminal_again(int fd);         // the same of a terminal
int fork();                              // 0: in the child
int new_session();                       // setsid(2)
int duplicate_onto(int fd, int target);  // dup2(2)
std::size_t descriptor_limit();          // RLIMIT_NOFILE; 0: not known
int duplicate(int fd);                   // close-on-exec
int change_directory(int fd);
int change_directory(const char* path);
// Runs `work` in a thread with all signals blocked and a working directory of its own: unshare(2) with
// CLONE_FS, which needs no privilege. `work` is told whether that could be had: false where it may not change
// the working directory. What comes back cannot be joined where there is no thread to be had. `work` may not
// throw.
std::thread start_with_own_working_directory(std::function<void(bool own)> work);
// The same, and returns when it is done; where there is no thread to be had, it runs in the calling one.
void run_with_own_working_directory(const std::function<void(bool own)>& work);

struct FileFacts {
  std::uint32_t mode = 0;   // S_IFMT and permission bits
  std::uint32_t links = 0;  // st_nlink
  std::uint64_t inode = 0;
  std::uint64_t device = 0;  // as in st_dev
  bool mounted = false;      // something is mounted there: this (since Linux 5.8; else false)
};
// `flags` as in statx(2); an empty path with AT_EMPTY_PATH asks of the descriptor itself.
int facts_at(int directory, const char* path, int flags, FileFacts& facts);
int facts_of(int fd, FileFacts& facts);  // the same of an open file, at less cost; `mounted` is not told
long filesystem_type(int fd);            // f_type of fstatfs(2), or minus the errno

// Waits for `fd` to become readable. 1: it is, 0: `timeout` is over, minus EINTR: a signal came. No timeout:
// for ever.
int wait_readable(int fd, const std::timespec* timeout);
// The same for two: until `readable` can be read, or `writable` written to. 1: one of them can.
int wait_for_either(int readable, int writable, const std::timespec* timeout);
void pause_for(std::int64_t nanoseconds);  // may end early at a signal
std::timespec now(clockid_t clock);
inline std::timespec to_timespec(std::chrono::nanoseconds length) {
  constexpr std::int64_t second = 1'000'000'000;
  return {static_cast<std::time_t>(length.count() / second), static_cast<long>(length.count() % second)};
}
inline std::int64_t nanoseconds(const std::timespec& t) {
  return std::int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec;
}

}  // namespace notify_core::sys
