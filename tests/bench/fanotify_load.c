// SPDX-License-Identifier: GPL-2.0-or-later
// What fanotify is measured with, beside what load.c does, and the least that reading its queue takes.
//
// entries DIRECTORY PLACES COUNT: make and remove a file, so many times, in so many directories in turn.
//
// directories DIRECTORY PLACES COUNT: the same with directories.
//
// renames DIRECTORY PLACES COUNT: rename one file on and on.
//
// queue -I|-F|-S DIRECTORY PLACES: read what the kernel queues of that, and do nothing with it; says "ready"
// on standard error and ends by a signal.
//
// The directories are part0, part1 and so on.
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

// FAN_REPORT_TARGET_FID and FAN_RENAME, which older headers lack.
enum { report_target = 0x1000, fan_rename = 0x10000000 };
enum { read_size = 4 << 20, nap_ns = 500000 };

static void die(const char* what) {
  perror(what);
  exit(1);
}

static void deed(const char* kind, const char* name, const char* next) {
  if (kind[0] == 'r') {
    if (rename(name, next) != 0) die(name);
  } else if (kind[0] == 'd') {
    if (mkdir(name, 0755) != 0 || rmdir(name) != 0) die(name);
  } else if (mknod(name, S_IFREG | 0644, 0) != 0 || unlink(name) != 0) {
    die(name);
  }
}

static int perform(const char* kind, const char* directory, long places, long count) {
  char name[64], next[64];
  if (chdir(directory) != 0) die(directory);
  for (long i = 0; i < places; ++i) {
    snprintf(name, sizeof name, "part%ld", i);
    if (mkdir(name, 0755) != 0 && access(name, X_OK) != 0) die(name);
  }
  snprintf(name, sizeof name, "part0/name0");
  if (kind[0] == 'r' && mknod(name, S_IFREG | 0644, 0) != 0) die(name);
  for (long i = 0; i < count; ++i) {
    const long now = kind[0] == 'r' ? 0 : i % places;
    snprintf(name, sizeof name, "part%ld/name%ld", now, i);
    snprintf(next, sizeof next, "part%ld/name%ld", now, i + 1);
    deed(kind, name, next);
  }
  return 0;
}

static int watch_inotify(const char* directory, long places) {
  char path[4096];
  const int fd = inotify_init1(IN_NONBLOCK);
  for (long i = 0; i < places; ++i) {
    snprintf(path, sizeof path, "%s/part%ld", directory, i);
    if (inotify_add_watch(fd, path, IN_CREATE | IN_DELETE | IN_MOVE) < 0) die(path);
  }
  return fd;
}

static int watch_fanotify(const char* directory, long places, int whole) {
  char path[4096];
  const uint64_t mask = FAN_CREATE | FAN_DELETE | fan_rename | FAN_ONDIR | FAN_EVENT_ON_CHILD;
  const int fd = fanotify_init(FAN_CLASS_NOTIF | FAN_REPORT_FID | FAN_REPORT_DIR_FID | FAN_REPORT_NAME |
                                   report_target | FAN_UNLIMITED_QUEUE | FAN_UNLIMITED_MARKS | FAN_NONBLOCK,
                               O_RDONLY);
  if (fd < 0) die("fanotify_init");
  if (whole) {
    if (fanotify_mark(fd, FAN_MARK_ADD | FAN_MARK_FILESYSTEM, mask, AT_FDCWD, directory) != 0) die(directory);
    return fd;
  }
  for (long i = 0; i < places; ++i) {
    snprintf(path, sizeof path, "%s/part%ld", directory, i);
    if (fanotify_mark(fd, FAN_MARK_ADD, mask, AT_FDCWD, path) != 0) die(path);
  }
  return fd;
}

static void read_queue(const char* how, const char* directory, long places) {
  static char buffer[read_size];
  const int fd =
      how[1] == 'I' ? watch_inotify(directory, places) : watch_fanotify(directory, places, how[1] == 'S');
  if (fd < 0) die("watch");
  fputs("ready\n", stderr);
  for (;;) {
    if (read(fd, buffer, sizeof buffer) > 0) continue;
    struct pollfd wait = {fd, POLLIN, 0};
    poll(&wait, 1, -1);
    nanosleep(&(struct timespec){0, nap_ns}, NULL);
  }
}

int main(int argc, char** argv) {
  const char* what = argc > 1 ? argv[1] : "";
  if (strcmp(what, "queue") == 0 && argc == 5) read_queue(argv[2], argv[3], atol(argv[4]));
  const int known =
      strcmp(what, "entries") == 0 || strcmp(what, "directories") == 0 || strcmp(what, "renames") == 0;
  if (known && argc == 5) return perform(what, argv[2], atol(argv[3]), atol(argv[4]));
  fputs("usage: fanotify_load entries|directories|renames|queue ...; see the top of fanotify_load.c\n",
        stderr);
  return 64;
}
