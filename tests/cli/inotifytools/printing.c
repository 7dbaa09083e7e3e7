/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Events as text, cut where it does not fit. Run in an empty directory. */
#include <fcntl.h>
#include <inotifytools/inotify.h>
#include <inotifytools/inotifytools.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct nstring text;

static void bytes(int length) {
  printf(" = %d, len %u: ", length, text.len);
  for (unsigned i = 0; i < text.len && i < 300; ++i)
    if (text.buf[i] >= ' ' && text.buf[i] < 127)
      putchar(text.buf[i]);
    else
      printf("\\%03o", (unsigned char)text.buf[i]);
  printf("\n");
}

static void print(struct inotify_event* event, char* format) {
  memset(&text, 0, sizeof text);
  const int length = inotifytools_sprintf(&text, event, format);
  printf("sprintf(%.60s)", format);
  bytes(length);
}

/* Inotify-tools' library says how long the text would have been, and shows what was in the room before. */
static void print_cut(struct inotify_event* event, char* format, int size) {
  memset(&text, 0, sizeof text);
  inotifytools_snprintf(&text, size, event, format);
  printf("snprintf(%.60s, %d)", format, size);
  if (size >= 0 && text.len > (unsigned)size) text.len = (unsigned)size;
  bytes(0);
}

static char* formats[] = {"%w%f %e", "%w",   "%f",     "%e",  "%.e",   "%|e",  "%ee",      "%c",
                          "%T",      "[%T]", "%%",     "%%w", "%0",    "a%0b", "%n",       "%",
                          "%w%",     "%z",   "%zz",    "%1",  "plain", "",     "%w%n%f%0", "%,e %w %f\n",
                          "%Te",     "%we",  "%ce",    "%fe", "%%e",   "%0e",  "%ne",      "% e",
                          "100%",    "%T%T", "\\n\\t", "%.",  "%.f",   "%..e"};

int main(void) {
  inotifytools_initialize();
  mkdir("d", 0755);
  mkdir("d/s", 0755);
  inotifytools_watch_file("d/", IN_ALL_EVENTS);
  close(open("d/file", O_CREAT | O_WRONLY, 0644));
  char kept[sizeof(struct inotify_event) + 256];
  struct inotify_event* event = inotifytools_next_event(10);
  memcpy(kept, event, sizeof(struct inotify_event) + event->len);
  event = (struct inotify_event*)kept;
  for (size_t i = 0; i < sizeof formats / sizeof *formats; ++i) print(event, formats[i]);
  inotifytools_set_printf_timefmt("%Y is a year, %% %%Y");
  print(event, "%T");
  inotifytools_set_printf_timefmt("time");
  for (size_t i = 0; i < sizeof formats / sizeof *formats; ++i) print(event, formats[i]);
  inotifytools_set_printf_timefmt("");
  print(event, "[%T]");
  inotifytools_set_printf_timefmt(NULL);
  print(event, "[%T]");

  for (int size = -1; size < 14; ++size) print_cut(event, "%w%f %e", size);
  print_cut(event, "%w%f %e", 4096);
  printf("too large a size: %d\n", inotifytools_snprintf(&text, 5000, event, "%w"));
  for (int size = 0; size < 4; ++size) {
    print_cut(event, "ab%n", size);
    print_cut(event, "%n%n%n%n", size);
    print_cut(event, "%0%0%0%0", size);
    print_cut(event, "%%%%%%", size);
    print_cut(event, "%z%z", size);
    print_cut(event, "%e", size);
    print_cut(event, "%c%c%c%c", size);
  }
  event->cookie = 0xABCDEF;
  print(event, "%c");
  event->mask = IN_ISDIR | IN_CLOSE_WRITE;
  print(event, "%e %:e");
  event->mask = 0;
  print(event, "%e");
  event->mask = 0x1000;
  print(event, "%e");
  event->mask = IN_CREATE;
  event->len = 0;
  print(event, "%w|%f");
  event->wd = 77;
  print(event, "%w|%f");
  fflush(stdout);
  event->wd = 1;
  printf("printf: %d\n", inotifytools_printf(event, "%w %e\n"));
  printf("fprintf: %d\n", inotifytools_fprintf(stdout, event, "%0%w%n"));
  FILE* unwritable = fopen("/dev/full", "w");
  setvbuf(unwritable, NULL, _IONBF, 0);
  printf("full: %d\n", inotifytools_fprintf(unwritable, event, "%w"));
  fclose(unwritable);

  inotifytools_set_filename_by_wd(1, "a/name/of/its/own/");
  print(event, "%w");
  static char long_name[1501], long_format[4098];
  memset(long_name, 'n', sizeof long_name - 1);
  inotifytools_set_filename_by_wd(1, long_name);
  print(event, "%w%w");
  memset(long_format, 'f', sizeof long_format - 1);
  print(event, long_format);
  inotifytools_set_filename_by_wd(1, "");
  print(event, "%w|");
  inotifytools_set_printf_timefmt("kept");
  inotifytools_cleanup();
  inotifytools_initialize();
  print(event, "[%T]");
  inotifytools_cleanup();
  return 0;
}
