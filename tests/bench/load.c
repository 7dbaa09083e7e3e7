// SPDX-License-Identifier: GPL-2.0-or-later
// What is done to the files while a program under measurement watches.
//
//   load tree wide|deep DIRECTORIES FILES TOP    make a tree: FILES empty files in each of so many
//   directories load events DIRECTORY COUNT RATE             so many events (open for writing, close) a
//   second; RATE 0: full speed load births DIRECTORY COUNT                  mkdir -p N/a/b/c, touch
//   N/a/b/c/f, so many times load latency FILE COUNT                      one write at a time, until the line
//   about it is on standard input load rename FROM TO BELOW COUNT              rename a directory back and
//   forth; the same, for the next event in it
//
// The last two print microseconds: median and 99th percentile; rename adds how many lines named the right
// directory.
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { deep_levels = 12, wide_children = 100, event_files = 100 };

static void die(const char* what) {
  perror(what);
  exit(1);
}

static int64_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void pause_for(int64_t nanoseconds) {
  nanosleep(&(struct timespec){nanoseconds / 1000000000, nanoseconds % 1000000000}, NULL);
}

static void touch(const char* name) {
  const int fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0) die(name);
  close(fd);
}

static long directories_left;
static long files_each;

// A directory of the working directory, its files, and where `levels` is left two below it.
static void grow(const char* name, int levels, int children) {
  if (directories_left <= 0) return;
  directories_left--;
  if (mkdir(name, 0755) != 0 || chdir(name) != 0) die(name);
  char entry[32];
  for (long i = 0; i < files_each; ++i) {
    snprintf(entry, sizeof entry, "file%ld", i);
    touch(entry);
  }
  for (int i = 0; levels > 0 && i < children; ++i) {
    snprintf(entry, sizeof entry, "directory%d", i);
    grow(entry, levels - 1, children);
  }
  if (chdir("..") != 0) die("..");
}

static int make_tree(const char* shape, long directories, long files, const char* top) {
  if (mkdir(top, 0755) != 0 || chdir(top) != 0) die(top);
  directories_left = directories - 1;
  files_each = files;
  const int deep = strcmp(shape, "deep") == 0;
  char name[32];
  for (int i = 0; directories_left > 0; ++i) {
    snprintf(name, sizeof name, "part%d", i);
    grow(name, deep ? deep_levels - 1 : 1, deep ? 2 : wide_children);
  }
  return 0;
}

static int make_events(const char* directory, long count, long rate) {
  if (chdir(directory) != 0) die(directory);
  char names[event_files][16];
  for (int i = 0; i < event_files; ++i) {
    snprintf(names[i], sizeof names[i], "name%d", i);
    touch(names[i]);
  }
  const int64_t started = now();
  for (long done = 0; done < count; done += 2) {
    const int fd = open(names[done / 2 % event_files], O_WRONLY | O_CLOEXEC);
    if (fd < 0) die("open");
    close(fd);
    if (rate == 0 || done % 64 != 0) continue;
    const int64_t ahead = started + done * 1000000000 / rate - now();
    if (ahead > 0) pause_for(ahead);
  }
  printf("%.6f\n", (double)(now() - started) / 1e9);
  return 0;
}

static int make_births(const char* directory, long count) {
  static const char* const levels[] = {"", "/a", "/a/b", "/a/b/c"};
  if (chdir(directory) != 0) die(directory);
  char name[64];
  for (long i = 0; i < count; ++i) {
    for (int level = 0; level < 4; ++level) {
      snprintf(name, sizeof name, "birth%ld%s", i, levels[level]);
      if (mkdir(name, 0755) != 0) die(name);
    }
    snprintf(name, sizeof name, "birth%ld/a/b/c/f", i);
    touch(name);
  }
  return 0;
}

static int make_lives(const char* directory, long count) {
  if (chdir(directory) != 0) die(directory);
  char name[32];
  for (long i = 0; i < count; ++i) {
    snprintf(name, sizeof name, "life%ld", i);
    if (mkdir(name, 0755) != 0 || rmdir(name) != 0) die(name);
  }
  return 0;
}

static char line[1 << 16];

// Reads on until a whole line that holds `word` has come; it is left in `line`.
static void await_line(const char* word) {
  size_t used = 0;
  for (;;) {
    const ssize_t got = read(STDIN_FILENO, line + used, sizeof line - 1 - used);
    if (got == 0) exit(2);
    if (got < 0) die("read");
    used += (size_t)got;
    line[used] = 0;
    const char* hit = strstr(line, word);
    if (hit && strchr(hit, '\n')) return;
    if (used > sizeof line / 2) used = 0;
  }
}

static int ascending(const void* a, const void* b) {
  const double x = *(const double*)a, y = *(const double*)b;
  return (x > y) - (x < y);
}

static void print_times(double* times, long count) {
  qsort(times, (size_t)count, sizeof *times, ascending);
  printf("%.2f %.2f", times[count / 2] / 1e3, times[count * 99 / 100] / 1e3);
}

static int measure_latency(const char* file, long count, double* times) {
  const int fd = open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0) die(file);
  for (long i = 0; i < count; ++i) {
    pause_for(2000000 + i % 7 * 100000);
    const int64_t before = now();
    if (pwrite(fd, "x", 1, 0) != 1) die("pwrite");
    await_line("MODIFY");
    times[i] = (double)(now() - before);
  }
  print_times(times, count);
  putchar('\n');
  return 0;
}

static int measure_rename(const char* from, const char* to, const char* below, long count, double* times) {
  char name[4096], word[32];
  long right = 0;
  for (long i = 0; i < count; ++i) {
    const char* target = i % 2 ? from : to;
    pause_for(20000000);
    snprintf(word, sizeof word, "after%ld", i);
    snprintf(name, sizeof name, "%s/%s/%s", target, below, word);
    const int64_t before = now();
    if (rename(i % 2 ? to : from, target) != 0) die("rename");
    touch(name);
    await_line(word);
    times[i] = (double)(now() - before);
    snprintf(name, sizeof name, "%s/%s/ CREATE %s\n", target, below, word);
    right += strstr(line, name) != NULL;
  }
  print_times(times, count);
  printf(" %ld\n", right);
  return 0;
}

int main(int argc, char** argv) {
  const char* what = argc > 1 ? argv[1] : "";
  const long count = argc > 2 ? atol(argv[argc - 1]) : 0;
  if (strcmp(what, "tree") == 0 && argc == 6)
    return make_tree(argv[2], atol(argv[3]), atol(argv[4]), argv[5]);
  if (strcmp(what, "events") == 0 && argc == 5) return make_events(argv[2], atol(argv[3]), count);
  if (strcmp(what, "births") == 0 && argc == 4) return make_births(argv[2], count);
  if (strcmp(what, "lives") == 0 && argc == 4) return make_lives(argv[2], count);
  double* times = count > 0 ? calloc((size_t)count, sizeof *times) : NULL;
  if (times && strcmp(what, "latency") == 0 && argc == 4) return measure_latency(argv[2], count, times);
  if (times && strcmp(what, "rename") == 0 && argc == 6)
    return measure_rename(argv[2], argv[3], argv[4], count, times);
  fputs("usage: load tree|events|births|lives|latency|rename ...; see the top of load.c\n", stderr);
  return 64;
}
