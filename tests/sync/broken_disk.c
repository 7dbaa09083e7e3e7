// SPDX-License-Identifier: GPL-2.0-or-later
// Loaded before a program (LD_PRELOAD): what lies below the directory that the environment calls BROKEN_DISK
// gives EIO while the file BROKEN_CALLS holds the name of the call: read, write, or name (all that makes,
// renames or removes one).
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static int is_below(const char* link) {
  const char* top = getenv("BROKEN_DISK");
  char path[PATH_MAX + 1];
  const ssize_t size = readlink(link, path, PATH_MAX);
  if (top == NULL || size < 0) return 0;
  path[size] = '\0';
  return strncmp(path, top, strlen(top)) == 0;
}

static int is_broken(const char* call) {
  char said[64];
  const char* calls = getenv("BROKEN_CALLS");
  const int fd = calls == NULL ? -1 : (int)syscall(SYS_openat, AT_FDCWD, calls, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  const ssize_t size = syscall(SYS_read, fd, said, sizeof said - 1);
  close(fd);
  said[size < 0 ? 0 : size] = '\0';
  return strstr(said, call) != NULL;
}

static int fails(const char* call, int fd) {
  char link[64];
  struct stat facts;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  const int known = errno;
  const int broken = is_broken(call) && fstat(fd, &facts) == 0 && !S_ISSOCK(facts.st_mode) && is_below(link);
  errno = broken ? EIO : known;
  return broken;
}

// Names are looked up from the working directory, which is on the disk.
static int name_fails(void) {
  const int broken = is_broken("name") && is_below("/proc/self/cwd");
  if (broken) errno = EIO;
  return broken;
}

ssize_t read(int fd, void* buffer, size_t size) {
  return fails("read", fd) ? -1 : syscall(SYS_read, fd, buffer, size);
}
ssize_t write(int fd, const void* buffer, size_t size) {
  return fails("write", fd) ? -1 : syscall(SYS_write, fd, buffer, size);
}
int rename(const char* from, const char* to) {
  return name_fails() ? -1 : (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}
int renameat(int there, const char* from, int here, const char* to) {
  return name_fails() ? -1 : (int)syscall(SYS_renameat2, there, from, here, to, 0);
}
int mkdir(const char* name, mode_t mode) {
  return name_fails() ? -1 : (int)syscall(SYS_mkdirat, AT_FDCWD, name, mode);
}
int mkdirat(int place, const char* name, mode_t mode) {
  return name_fails() ? -1 : (int)syscall(SYS_mkdirat, place, name, mode);
}
int unlinkat(int place, const char* name, int flags) {
  return name_fails() ? -1 : (int)syscall(SYS_unlinkat, place, name, flags);
}
int unlink(const char* name) {
  return unlinkat(AT_FDCWD, name, 0);
}
int rmdir(const char* name) {
  return unlinkat(AT_FDCWD, name, AT_REMOVEDIR);
}
