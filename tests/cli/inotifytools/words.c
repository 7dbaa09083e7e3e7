/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of events, there and back; what does not need a watch. */
#include <inotifytools/inotify.h>
#include <inotifytools/inotifytools.h>
#include <stdio.h>
#include <string.h>

static void parse(const char* text) {
  printf("str_to_event(%s) = %d\n", text ? text : "NULL", inotifytools_str_to_event(text));
}

static void parse_sep(const char* text, char separator) {
  printf("str_to_event_sep(%s, %d) = %d\n", text ? text : "NULL", separator,
         inotifytools_str_to_event_sep(text, separator));
}

int main(void) {
  static const char* const names[] = {"access",
                                      "MODIFY",
                                      "Attrib",
                                      "close_write",
                                      "close_nowrite",
                                      "open",
                                      "moved_from",
                                      "moved_to",
                                      "move_self",
                                      "create",
                                      "delete",
                                      "delete_self",
                                      "unmount",
                                      "q_overflow",
                                      "ignored",
                                      "close",
                                      "move",
                                      "isdir",
                                      "oneshot",
                                      "all_events",
                                      "IN_ACCESS",
                                      "bogus",
                                      "",
                                      ",",
                                      "access,",
                                      ",access",
                                      "access,,modify",
                                      "access,bogus",
                                      "bogus,access",
                                      "access modify",
                                      " access",
                                      "access ",
                                      "modify,close,create",
                                      "onlydir",
                                      "dont_follow",
                                      "mask_add"};
  for (size_t i = 0; i < sizeof names / sizeof *names; ++i) parse(names[i]);
  parse(NULL);
  parse_sep("access:modify", ':');
  parse_sep("access:modify", ',');
  parse_sep("access|close|delete_self", '|');
  parse_sep("accessAmodify", 'A');
  parse_sep("accessamodify", 'a');
  parse_sep("close_write", '_');
  parse_sep("access1modify", '1');
  parse_sep("access\nmodify", '\n');
  parse_sep("access", 0);
  parse_sep(NULL, ':');
  parse_sep("", ':');
  parse_sep(":", ':');

  for (int bit = 0; bit < 32; ++bit) printf("%d: %s\n", bit, inotifytools_event_to_str((int)(1u << bit)));
  static const unsigned masks[] = {0,
                                   IN_ALL_EVENTS,
                                   IN_CLOSE,
                                   IN_MOVE,
                                   IN_CREATE | IN_ISDIR,
                                   IN_DELETE | IN_ISDIR,
                                   IN_CREATE | 0x1000,
                                   0x11000,
                                   0xffffffffu,
                                   IN_CLOSE_WRITE | IN_MODIFY,
                                   IN_ISDIR,
                                   IN_IGNORED | IN_UNMOUNT,
                                   IN_ONESHOT | IN_OPEN,
                                   IN_DONT_FOLLOW | IN_ACCESS};
  for (size_t i = 0; i < sizeof masks / sizeof *masks; ++i) {
    printf("%#x: %s\n", masks[i], inotifytools_event_to_str((int)masks[i]));
    printf("%#x: %s\n", masks[i], inotifytools_event_to_str_sep((int)masks[i], '-'));
  }
  char first[4096];
  strcpy(first, inotifytools_event_to_str_sep(IN_CLOSE, '\n'));
  printf("%s\n", first);
  for (unsigned mask = 1; mask < 0x1000; mask += 7) {
    const char* text = inotifytools_event_to_str((int)mask);
    const int back = inotifytools_str_to_event(text);
    printf("%#x %s %#x\n", mask, text, (unsigned)back);
  }
  FILE* limits[2] = {fopen("/proc/sys/fs/inotify/max_user_instances", "r"),
                     fopen("/proc/sys/fs/inotify/max_user_watches", "r")};
  int wanted[2] = {0, 0};
  for (int i = 0; i < 2; ++i)
    if (limits[i] == NULL || fscanf(limits[i], "%d", &wanted[i]) != 1) return 1;
  printf("limits as in /proc: %d %d\n", inotifytools_get_max_user_instances() == wanted[0],
         inotifytools_get_max_user_watches() == wanted[1]);
  printf("MAX_STRLEN %d, nstring %zu\n", MAX_STRLEN, sizeof(struct nstring));
  return 0;
}
