/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Events, one by one and many at a time; what is ignored; where they happened. Run in an empty directory. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inotifytools/inotify.h>
#include <inotifytools/inotifytools.h>
#include <regex.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char* shown(const char* text) {
  return text ? text : "NULL";
}

static void touch(const char* path) {
  close(open(path, O_CREAT | O_WRONLY, 0644));
}

static void append(const char* path) {
  const int file = open(path, O_CREAT | O_WRONLY | O_APPEND, 0644);
  if (write(file, "x", 1) != 1) abort();
  close(file);
}

static void show(struct inotify_event* event) {
  printf("  wd %d %s len %u name '%s' cookie %d", event->wd, inotifytools_event_to_str((int)event->mask),
         event->len, event->len ? event->name : "", event->cookie != 0);
  size_t length = 99;
  const char* directory = inotifytools_dirname_from_event(event, &length);
  printf(" dirname %s %zu", shown(directory), length);
  const char* name = NULL;
  length = 99;
  const char* whole = inotifytools_filename_from_event(event, &name, &length);
  printf(" filename %s %s %zu", shown(whole), shown(name), length);
  char* path = event->len ? inotifytools_dirpath_from_event(event) : NULL;
  printf(" dirpath %s\n", shown(path));
  free(path);
}

/* Takes as many events as there are to come: a timeout of 0 waits for ever, and any other for a second at
 * least. */
static void take(int count, const char* title) {
  printf("%s\n", title);
  for (; count > 0; --count) {
    struct inotify_event* event = inotifytools_next_event(10);
    if (event == NULL) {
      printf("  no event, error %d\n", inotifytools_error());
      break;
    }
    show(event);
  }
  printf("  %d watches, error %d\n", inotifytools_get_num_watches(), inotifytools_error());
}

static void on_alarm(int number) {
  (void)number;
}

int main(void) {
  mkdir("d", 0755);
  mkdir("d/s", 0755);
  touch("d/old");
  inotifytools_initialize();
  inotifytools_watch_file("d/", IN_ALL_EVENTS);
  inotifytools_watch_file("d/s", IN_ALL_EVENTS);
  inotifytools_watch_file("d/old", IN_ALL_EVENTS);
  touch("d/new");
  append("d/old");
  mkdir("d/s/t", 0755);
  take(10, "made");
  rename("d/new", "d/s/new");
  chmod("d/s/new", 0600);
  unlink("d/s/new");
  take(4, "moved, changed, removed");
  rename("d/s", "d/r");
  touch("d/r/after the rename");
  take(6, "a watched directory is renamed");
  unlink("d/old");
  take(4, "a watched file is removed");
  printf("%s %d\n", shown(inotifytools_filename_from_wd(3)), inotifytools_wd_from_filename("d/old"));
  DIR* listed = opendir("d/");
  closedir(listed);
  take(2, "a watched directory is opened");
  inotifytools_remove_watch_by_wd(2);
  take(1, "a watch is removed");
  touch("d/removed with events queued");
  inotifytools_remove_watch_by_filename("d/");
  take(4, "removed with events queued");
  inotifytools_cleanup();

  inotifytools_initialize();
  inotifytools_watch_file("d", IN_CREATE | IN_ONESHOT);
  touch("d/once");
  touch("d/twice");
  take(2, "one event only");
  inotifytools_cleanup();

  inotifytools_initialize();
  inotifytools_watch_file("d", IN_CREATE);
  for (int i = 0; i < 5; ++i) {
    char path[32];
    snprintf(path, sizeof path, "d/many%d", i);
    touch(path);
  }
  printf("five at a time\n");
  for (int i = 0; i < 5; ++i) show(inotifytools_next_events(10, 5));
  printf("none at a time %d, too many %d\n", inotifytools_next_events(0, 0) == NULL,
         inotifytools_next_events(0, -1) == NULL);
  char long_name[300] = "d/";
  memset(long_name + 2, 'n', 255);
  touch(long_name);
  touch("d/\xff\xfe is no UTF-8");
  touch("d/a\nb");
  take(3, "odd names");

  printf("bad regex %d\n", inotifytools_ignore_events_by_regex("(", REG_EXTENDED));
  printf("regex %d\n", inotifytools_ignore_events_by_regex("ignored|d/x+y$", REG_EXTENDED));
  touch("d/ignored");
  touch("d/seen");
  touch("d/xxxy");
  touch("d/IGNORED");
  take(2, "ignored by a regular expression");
  printf("regex %d\n", inotifytools_ignore_events_by_regex("a|b", REG_ICASE));
  touch("d/a");
  touch("d/A|B");
  take(1, "a basic one, any case");
  printf("regex %d\n", inotifytools_ignore_events_by_inverted_regex("wanted", REG_EXTENDED));
  touch("d/wanted");
  touch("d/not");
  take(1, "all but what matches");
  printf("regex %d\n", inotifytools_ignore_events_by_regex("zzz", REG_EXTENDED));
  touch("d/wanted2");
  touch("d/not2");
  take(3, "the other kind again");
  inotifytools_cleanup();
  inotifytools_initialize();
  inotifytools_watch_file("d", IN_CREATE);
  touch("d/zzz1");
  touch("d/end");
  take(2, "after a new beginning");
  printf("regex %d\n", inotifytools_ignore_events_by_inverted_regex(NULL, 0));
  printf("regex %d\n", inotifytools_ignore_events_by_regex(NULL, 0));
  touch("d/zzz");
  take(1, "nothing is ignored");

  signal(SIGALRM, SIG_DFL);
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = on_alarm;
  sigaction(SIGALRM, &action, NULL);
  ualarm(50000, 50000); /* again and again, in case the first comes too early */
  struct inotify_event* event = inotifytools_next_event(-1);
  printf("interrupted: %d, error %d\n", event == NULL, inotifytools_error());
  ualarm(0, 0);
  event = inotifytools_next_event(1);
  printf("timed out: %d, error %d\n", event == NULL, inotifytools_error());
  inotifytools_cleanup();
  return 0;
}
