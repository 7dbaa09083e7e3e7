/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A C program watches a tree of its own making; every promise of the header that it uses is checked. */
#include <errno.h>
#include <fcntl.h>
#include <notify_core/notify_core.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#define EXPECT(condition)                                                     \
  do {                                                                        \
    if (!(condition)) {                                                       \
      fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
      exit(1);                                                                \
    }                                                                         \
  } while (0)

struct seen {
  notify_watcher* watcher;
  int creates;
  int births;
  char last[256];
};

static int on_event(const struct notify_event* event, void* context) {
  struct seen* seen = context;
  char names[64];
  EXPECT(strlen(event->watched) == event->watched_length);
  EXPECT(strlen(event->name) == event->name_length);
  EXPECT(event->time.tv_sec > 0);
  EXPECT(notify_watcher_wait(seen->watcher, NULL, on_event, context) == -EBUSY);
  EXPECT(notify_watcher_dispatch(seen->watcher, on_event, context) == -EBUSY);
  EXPECT(notify_watcher_add(seen->watcher, "/") == -EBUSY);
  EXPECT(strstr(notify_watcher_error(seen->watcher), "add /: ") != NULL);
  if (event->mask & NOTIFY_CREATE) {
    ++seen->creates;
    snprintf(seen->last, sizeof seen->last, "%s%s", event->watched, event->name);
    EXPECT(notify_mask_names(event->mask, names, sizeof names) == strlen(names));
    EXPECT(strncmp(names, "CREATE", 6) == 0);
  }
  return 0;
}

static void on_notice(enum notify_notice_kind kind, const char* path, int error, void* context) {
  struct seen* seen = context;
  EXPECT(error == 0);
  if (kind == NOTIFY_NEW_DIRECTORY && path[strlen(path) - 1] == '/') ++seen->births;
}

static void on_failure(enum notify_notice_kind kind, const char* path, int error, void* context) {
  char* failed = context;
  EXPECT(kind == NOTIFY_WATCH_FAILED && error == EACCES);
  snprintf(failed, 256, "%s", path);
}

static void interrupt(int number) {
  (void)number;
}

/* A directory that may not be read is told of, and the rest watched. As nobody, where we are root. */
static void check_unreadable(const char* tree) {
  struct notify_options options = NOTIFY_OPTIONS_INIT;
  notify_watcher* watcher = NULL;
  char failed[256] = "";
  const uid_t we = geteuid();

  options.recursive = 1;
  EXPECT(mkdir("locked", 0) == 0 && mkdir("open", 0755) == 0 && chmod(".", 0755) == 0);
  EXPECT(we != 0 || seteuid(65534) == 0);
  EXPECT(notify_watcher_create(&options, &watcher) == 0);
  notify_watcher_set_notice(watcher, on_failure, failed);
  EXPECT(notify_watcher_add(watcher, tree) == 0);
  EXPECT(strstr(failed, "/locked/") != NULL);
  EXPECT(notify_watcher_count(watcher) == 2);
  notify_watcher_free(watcher);
  EXPECT(we != 0 || seteuid(we) == 0);
  EXPECT(rmdir("locked") == 0 && rmdir("open") == 0);
}

/* The next signal ends the wait, and is what is said of it. */
static void check_interrupted(notify_watcher* watcher, struct seen* seen) {
  const struct itimerval often = {{0, 5000}, {0, 5000}}, never = {{0, 0}, {0, 0}};
  struct sigaction action;

  memset(&action, 0, sizeof action);
  action.sa_handler = interrupt;
  EXPECT(sigaction(SIGALRM, &action, NULL) == 0 && setitimer(ITIMER_REAL, &often, NULL) == 0);
  EXPECT(notify_watcher_wait(watcher, NULL, on_event, seen) == -EINTR);
  EXPECT(strcmp(notify_watcher_error(watcher), "wait: Interrupted system call") == 0);
  EXPECT(setitimer(ITIMER_REAL, &never, NULL) == 0);
}

int main(void) {
  const struct timespec moment = {5, 0}, no_time = {0, 1000000000};
  const struct timespec ages = {(time_t)(~(unsigned long long)0 >> 1), 999999999};
  struct notify_options options = NOTIFY_OPTIONS_INIT;
  struct seen seen = {NULL, 0, 0, ""};
  notify_watcher* watcher = NULL;
  char tree[] = "/tmp/notify_core_c.XXXXXX";

  EXPECT(mkdtemp(tree) != NULL);
  options.backend = 99;
  EXPECT(notify_watcher_create(&options, &watcher) == -EINVAL && watcher == NULL);
  options.backend = NOTIFY_INOTIFY;
  options.mask = NOTIFY_CREATE;
  options.recursive = options.follow_tree = 1;
  EXPECT(notify_watcher_create(&options, &watcher) == 0);
  seen.watcher = watcher;
  notify_watcher_set_notice(watcher, on_notice, &seen);

  EXPECT(notify_watcher_add(watcher, "/nowhere/at/all") == -ENOENT);
  EXPECT(strstr(notify_watcher_error(watcher), "/nowhere/at/all") != NULL);
  EXPECT(notify_watcher_add(watcher, tree) == 0);
  EXPECT(notify_watcher_count(watcher) == 1);
  EXPECT(notify_watcher_dispatch(watcher, on_event, &seen) == 0);
  EXPECT(notify_watcher_wait(watcher, &no_time, on_event, &seen) == -EINVAL);

  check_interrupted(watcher, &seen);
  EXPECT(chdir(tree) == 0 && mkdir("d", 0700) == 0 && mkdir("d/e", 0700) == 0);
  EXPECT(close(open("d/e/f", O_CREAT | O_WRONLY, 0600)) == 0);
  EXPECT(notify_watcher_wait(watcher, &ages, on_event, &seen) == 1);
  while (seen.creates < 3) EXPECT(notify_watcher_wait(watcher, &moment, on_event, &seen) == 1);
  EXPECT(strcmp(seen.last + strlen(tree), "/d/e/f") == 0);
  EXPECT(seen.births >= 1);
  EXPECT(notify_watcher_count(watcher) == 3);

  EXPECT(unlink("d/e/f") == 0 && rmdir("d/e") == 0 && rmdir("d") == 0);
  check_unreadable(tree);
  EXPECT(rmdir(tree) == 0);
  EXPECT(notify_mask_parse("Close_Write") == NOTIFY_CLOSE_WRITE);
  EXPECT(notify_mask_parse("closed") == 0);
  notify_watcher_free(watcher);
  notify_watcher_free(NULL);
  return 0;
}
