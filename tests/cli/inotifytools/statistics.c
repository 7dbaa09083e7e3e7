/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Counters, with many files made and removed. Run in an empty directory. */
#include <fcntl.h>
#include <inotifytools/inotify.h>
#include <inotifytools/inotifytools.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const int kinds[] = {0,
                            IN_ACCESS,
                            IN_MODIFY,
                            IN_ATTRIB,
                            IN_CLOSE_WRITE,
                            IN_CLOSE_NOWRITE,
                            IN_OPEN,
                            IN_MOVED_FROM,
                            IN_MOVED_TO,
                            IN_MOVE_SELF,
                            IN_CREATE,
                            IN_DELETE,
                            IN_DELETE_SELF,
                            IN_UNMOUNT,
                            IN_CLOSE,
                            IN_MOVE,
                            IN_ALL_EVENTS,
                            IN_IGNORED,
                            IN_ISDIR,
                            IN_CREATE | IN_DELETE,
                            0x1000};

static void show(const char* title) {
  printf("%s\n", title);
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; ++i) {
    const int kind = kinds[i];
    printf("  %#x:", (unsigned)kind);
    for (int wd = 0; wd < 4; ++wd) printf(" %d", inotifytools_get_stat_by_wd(wd, kind));
    printf(" by name %d %d %d total %d\n", inotifytools_get_stat_by_filename("d/", kind),
           inotifytools_get_stat_by_filename("e/", kind), inotifytools_get_stat_by_filename("missing", kind),
           inotifytools_get_stat_total(kind));
  }
}

/* Takes as many events as there are to come. */
static void take(int count) {
  for (int i = 0; i < count; ++i)
    if (inotifytools_next_event(10) == NULL) printf("no event\n");
}

static void make_and_remove(int files) {
  char path[64];
  for (int i = 0; i < files; ++i) {
    snprintf(path, sizeof path, "d/%d", i);
    close(open(path, O_CREAT | O_WRONLY, 0644));
  }
  for (int i = 0; i < files; ++i) {
    snprintf(path, sizeof path, "d/%d", i);
    unlink(path);
  }
}

int main(void) {
  mkdir("d", 0755);
  mkdir("e", 0755);
  inotifytools_initialize();
  inotifytools_watch_file("d", IN_ALL_EVENTS);
  inotifytools_watch_file("e/", IN_ALL_EVENTS);
  show("not collected");
  make_and_remove(3);
  take(12);
  show("still not collected");
  inotifytools_initialize_stats();
  show("begun");
  make_and_remove(3);
  take(12);
  close(open("e/x", O_CREAT | O_WRONLY, 0644));
  rename("e/x", "d/y");
  mkdir("d/sub", 0755);
  rmdir("d/sub");
  take(7);
  show("some");
  for (int i = 0; i < 5; ++i) {
    make_and_remove(500);
    take(2000);
  }
  show("many");
  inotifytools_initialize_stats();
  show("begun again");
  rmdir("e");
  take(2);
  show("a watched directory removed");
  inotifytools_remove_watch_by_wd(1);
  show("a watch removed");
  take(1);
  printf("%d watches\n", inotifytools_get_num_watches());
  show("and its end read");
  inotifytools_cleanup();
  inotifytools_initialize();
  inotifytools_watch_file("d/", IN_ALL_EVENTS);
  make_and_remove(1);
  take(4);
  show("initialised anew");
  inotifytools_cleanup();
  return 0;
}
