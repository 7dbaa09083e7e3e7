// SPDX-License-Identifier: GPL-2.0-or-later
// The floor: a program that makes only the system calls which the work needs, to measure the others against.
// It is no tool: it takes no options and checks little.
//
//   floor wait DIRECTORY [create]   watch the tree, say "ready N" on standard error, print events as
//   inotifywait -m -r
//                                   does: all of them, or creations and moves
//   floor count DIRECTORY           count all events instead; the sum is printed at SIGINT or SIGTERM
//
// What makes it cheap. Set-up: stand in the parent and use short names; watch first, then one statx: a link
// count of two means a directory without subdirectories, which need not be listed. Opening a directory makes
// events of its own, so one that is listed is watched without those bits until its subtree is done; that it
// will be is guessed, so that most are watched twice and not three times, are opened ahead, and have their
// link count asked of the descriptor. Events: one large read, one write
// for it, and a nap when the queue fills fast, so that the next read brings many.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

// What opening a directory to list it brings about.
#define OF_LISTING ((uint32_t)(IN_OPEN | IN_ACCESS | IN_CLOSE_NOWRITE))
enum { read_size = 1 << 20, list_size = 1 << 16, nap_ns = 500000, busy_ns = 1000000 };

static void die(const char* what) {
  perror(what);
  exit(1);
}

static void* checked(void* memory) {
  if (!memory) die("malloc");
  return memory;
}

// Where each watch is: 12 bytes by watch descriptor, and the names one after the other.
struct node {
  int parent;
  uint32_t name;
  uint32_t count;
};
static struct node* nodes;
static size_t node_room;
static char* names;
static size_t names_used, names_room;
static int watches;
static int inotify;
static char top[4096];
static uint32_t wanted = IN_ALL_EVENTS;
static bool count_links;  // the filesystem's link counts tell of subdirectories

static void remember(int wd, int parent, const char* name) {
  while ((size_t)wd >= node_room) {
    const size_t room = node_room ? node_room * 2 : 1024;
    nodes = checked(realloc(nodes, room * sizeof *nodes));
    memset(nodes + node_room, 0, (room - node_room) * sizeof *nodes);
    node_room = room;
  }
  const size_t length = strlen(name) + 1;
  if (names_used + length > names_room) {
    names_room = (names_used + length) * 2;
    names = checked(realloc(names, names_room));
  }
  memcpy(names + names_used, name, length);
  nodes[wd] = (struct node){parent, (uint32_t)names_used, nodes[wd].count};
  names_used += length;
}

static size_t append_path(char* out, int wd) {
  if (nodes[wd].parent == 0) return (size_t)(stpcpy(out, top) - out);
  size_t length = append_path(out, nodes[wd].parent);
  length += (size_t)(stpcpy(out + length, names + nodes[wd].name) - (out + length));
  out[length++] = '/';
  out[length] = 0;
  return length;
}

struct linux_dirent {
  uint64_t inode;
  int64_t offset;
  uint16_t length;
  uint8_t type;
  char name[];
};

static unsigned subdirectories(const char* name) {
  struct statx facts;
  if (!count_links || statx(AT_FDCWD, name, 0, STATX_NLINK, &facts) != 0 || facts.stx_nlink < 2)
    return UINT32_MAX;
  return facts.stx_nlink - 2;
}

// The same of an open directory, at less cost.
static unsigned subdirectories_of(int fd) {
  struct stat facts;
  if (!count_links || fstat(fd, &facts) != 0 || facts.st_nlink < 2) return UINT32_MAX;
  return (unsigned)facts.st_nlink - 2;
}

static int open_below(int fd, const char* name) {
  return openat(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

// Names of subdirectories of the open directory, one after the other; ends early when all `expected` were
// seen.
static char* list(int fd, unsigned expected, size_t* size) {
  static char buffer[list_size];
  char* found = NULL;
  size_t used = 0, room = 0;
  long got;
  while (expected > 0 && (got = syscall(SYS_getdents64, fd, buffer, sizeof buffer)) > 0) {
    for (long at = 0; at < got && expected > 0;) {
      const struct linux_dirent* entry = (const void*)(buffer + at);
      at += entry->length;
      if (entry->type != DT_DIR || strcmp(entry->name, ".") == 0 || strcmp(entry->name, "..") == 0) continue;
      const size_t length = strlen(entry->name) + 1;
      if (used + length > room) found = checked(realloc(found, room = (used + length) * 2));
      memcpy(found + used, entry->name, length);
      used += length;
      expected--;
    }
  }
  *size = used;
  return found;
}

// Watches `name`, seen from the working directory: its watch, or a negative number.
static int watch_one(const char* name, uint32_t events) {
  const int wd = inotify_add_watch(inotify, name, events | IN_ONLYDIR | IN_DONT_FOLLOW);
  if (wd < 0 && errno == ENOSPC) die("inotify_add_watch");
  return wd;
}

static int standing = -1;  // the descriptor of the working directory; -1: another one
static void stand_in(int fd) {
  if (standing != fd && fchdir(fd) != 0) die("fchdir");
  standing = fd;
}

// Directories of one depth are mostly alike: where the last one had subdirectories, the next is watched at
// once as it is to be while it is listed.
static uint64_t had_some;  // a bit a depth

// Watches all below the directory that is open as `fd` and watched. Each subtree at once, while the kernel
// has its entries at hand: watching a directory has it look at them all.
static void watch_below(int fd, int parent, unsigned expected, unsigned depth) {
  const uint32_t quiet = wanted & ~OF_LISTING;
  const uint64_t bit = UINT64_C(1) << (depth % 64);
  size_t size = 0;
  char* found = list(fd, expected, &size);
  for (size_t at = 0; at < size; at += strlen(found + at) + 1) {
    const char* name = found + at;
    const uint32_t first = had_some & bit ? quiet : wanted;
    stand_in(fd);
    int inner = had_some & bit ? open_below(fd, name) : -1;
    const int wd = watch_one(name, first);
    if (wd < 0) {
      close(inner);
      continue;
    }
    remember(wd, parent, name);
    watches++;
    const unsigned below = inner >= 0 ? subdirectories_of(inner) : subdirectories(name);
    if (below == 0 && inner >= 0) close(inner);
    had_some = below > 0 ? had_some | bit : had_some & ~bit;
    const uint32_t second = below > 0 ? quiet : wanted;
    if (second != first) watch_one(name, second);
    if (below == 0) continue;
    if (inner < 0) inner = open_below(fd, name);
    if (inner < 0) continue;
    watch_below(inner, wd, below, depth + 1);
    if (quiet != wanted) stand_in(inner);
    close(inner);  // before all events are asked for, so that none comes of closing it
    standing = -1;
    if (quiet != wanted) watch_one(".", wanted);
  }
  free(found);
}

static void watch_tree(void) {
  const int wd = watch_one(top, wanted & ~OF_LISTING);
  if (wd < 0) die(top);
  remember(wd, 0, "");
  watches++;
  const int fd = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) die(top);
  watch_below(fd, wd, subdirectories(top), 0);
  stand_in(fd);
  close(fd);
  watch_one(".", wanted);
}

static char* output;
static size_t output_used, output_room;
static bool counting;

static void flush(void) {
  for (size_t done = 0; done < output_used;) {
    const ssize_t n = write(STDOUT_FILENO, output + done, output_used - done);
    if (n < 0 && errno != EINTR) exit(1);
    if (n > 0) done += (size_t)n;
  }
  output_used = 0;
}

static const char* const labels[] = {"ACCESS",        "MODIFY", "ATTRIB",      "CLOSE_WRITE",
                                     "CLOSE_NOWRITE", "OPEN",   "MOVED_FROM",  "MOVED_TO",
                                     "CREATE",        "DELETE", "DELETE_SELF", "MOVE_SELF"};

static size_t append_mask(char* out, uint32_t mask) {
  size_t used = 0;
  for (unsigned bit = 0; bit < sizeof labels / sizeof *labels; ++bit) {
    if ((mask & (1u << bit)) == 0) continue;
    if (used) out[used++] = ',';
    used += (size_t)(stpcpy(out + used, labels[bit]) - (out + used));
    if ((1u << bit) & IN_CLOSE) used += (size_t)(stpcpy(out + used, ",CLOSE") - (out + used));
  }
  if (mask & IN_ISDIR) used += (size_t)(stpcpy(out + used, ",ISDIR") - (out + used));
  return used;
}

// What is printed for one watch changes rarely between neighbours, so the last path and the last mask are
// kept.
static char path[1 << 16];
static size_t path_length;
static int path_of = -1;

static void append_line(int wd, uint32_t mask, const char* name, size_t length) {
  static char text[256];
  static size_t text_length;
  static uint32_t text_of;
  if (wd != path_of) path_length = append_path(path, path_of = wd);
  if (mask != text_of) text_length = append_mask(text, text_of = mask);
  if (output_used + path_length + text_length + length + 3 > output_room)
    output = checked(realloc(output, output_room = (output_used + path_length + length) * 2 + (1 << 20)));
  char* at = output + output_used;
  at = mempcpy(at, path, path_length);
  *at++ = ' ';
  at = mempcpy(at, text, text_length);
  *at++ = ' ';
  at = mempcpy(at, name, length);
  *at++ = '\n';
  output_used = (size_t)(at - output);
}

// Entries found by listing a new directory, until the queue has said the same: hashes of watch and name.
static uint64_t* found_entries;
static size_t found_room, found_used;

static uint64_t hash_of(int wd, const char* name) {
  uint64_t hash = 1469598103934665603u ^ (uint64_t)wd;
  for (; *name; ++name) hash = (hash ^ (unsigned char)*name) * 1099511628211u;
  return hash | 1;
}

static bool take_found(uint64_t hash) {
  for (size_t i = 0; i < found_used; ++i) {
    if (found_entries[i] != hash) continue;
    found_entries[i] = found_entries[--found_used];
    return true;
  }
  return false;
}

static void put_found(uint64_t hash) {
  if (found_used == found_room)
    found_entries =
        checked(realloc(found_entries, (found_room = found_room * 2 + 64) * sizeof *found_entries));
  found_entries[found_used++] = hash;
}

static bool known(int wd) {
  return (size_t)wd < node_room && (nodes[wd].name != 0 || wd == 1);
}

static void adopt(int parent, const char* name, bool born) {
  char where[1 << 13];
  const size_t length = append_path(where, parent);
  strcpy(where + length, name);
  const int wd = inotify_add_watch(inotify, where, wanted | IN_ONLYDIR | IN_DONT_FOLLOW);
  if (wd < 0) return;
  const bool seen = known(wd);
  if (!seen || nodes[wd].parent != parent || strcmp(names + nodes[wd].name, name) != 0) {
    remember(wd, parent, name);
    path_of = -1;
  }
  if (seen || !born) return;
  watches++;
  const int fd = open(where, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return;
  char* buffer = checked(malloc(list_size));
  long got;
  while ((got = syscall(SYS_getdents64, fd, buffer, list_size)) > 0) {
    for (long at = 0; at < got;) {
      const struct linux_dirent* entry = (const void*)(buffer + at);
      at += entry->length;
      if (strcmp(entry->name, ".") == 0 || strcmp(entry->name, "..") == 0) continue;
      put_found(hash_of(wd, entry->name));
      append_line(wd, IN_CREATE | (entry->type == DT_DIR ? IN_ISDIR : 0u), entry->name, strlen(entry->name));
      if (entry->type == DT_DIR) adopt(wd, entry->name, true);
    }
  }
  close(fd);
  free(buffer);
}

static void handle(const struct inotify_event* event) {
  if (event->wd < 0 || (event->mask & IN_IGNORED)) {
    if (event->wd < 0) fputs("floor: overflow\n", stderr);
    return;
  }
  if (counting) {
    nodes[event->wd].count++;
    return;
  }
  const bool directory = event->mask & IN_ISDIR;
  if ((event->mask & IN_CREATE) && found_used > 0 && take_found(hash_of(event->wd, event->name))) return;
  append_line(event->wd, event->mask, event->name, event->len ? strlen(event->name) : 0);
  if (directory && (event->mask & (IN_CREATE | IN_MOVED_TO)))
    adopt(event->wd, event->name, event->mask & IN_CREATE);
}

static volatile sig_atomic_t ended;
static void on_signal(int number) {
  ended = number;
}

static int64_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void run(void) {
  char* buffer = checked(aligned_alloc(4096, read_size));
  int64_t last = 0;
  while (!ended) {
    const ssize_t got = read(inotify, buffer, read_size);
    if (got <= 0) continue;
    for (ssize_t at = 0; at < got;) {
      const struct inotify_event* event = (const void*)(buffer + at);
      handle(event);
      at += (ssize_t)(sizeof *event + event->len);
    }
    flush();
    const int64_t moment = now();
    if (moment - last < busy_ns) nanosleep(&(struct timespec){0, nap_ns}, NULL);
    last = now();
  }
}

int main(int argc, char** argv) {
  if (argc < 3 || (strcmp(argv[1], "wait") != 0 && strcmp(argv[1], "count") != 0)) {
    fputs("usage: floor wait|count DIRECTORY [create]\n", stderr);
    return 64;
  }
  counting = strcmp(argv[1], "count") == 0;
  if (argc > 3) wanted = IN_CREATE | IN_MOVE;
  snprintf(top, sizeof top, "%s%s", argv[2], argv[2][strlen(argv[2]) - 1] == '/' ? "" : "/");
  inotify = inotify_init1(IN_CLOEXEC);
  struct statfs filesystem;
  if (inotify < 0 || statfs(top, &filesystem) != 0) die(top);
  count_links = filesystem.f_type == TMPFS_MAGIC || filesystem.f_type == EXT4_SUPER_MAGIC ||
                filesystem.f_type == XFS_SUPER_MAGIC;
  fcntl(STDOUT_FILENO, F_SETPIPE_SZ, 1 << 20);
  sigaction(SIGTERM, &(struct sigaction){.sa_handler = on_signal}, NULL);
  sigaction(SIGINT, &(struct sigaction){.sa_handler = on_signal}, NULL);

  const int home = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
  watch_tree();
  if (fchdir(home) != 0) die("fchdir");
  fprintf(stderr, "ready %d\n", watches);
  run();
  if (!counting) return 0;
  uint64_t total = 0;
  for (size_t i = 0; i < node_room; ++i) total += nodes[i].count;
  printf("total %llu\n", (unsigned long long)total);
  return 0;
}
