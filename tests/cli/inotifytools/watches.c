/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Watches come, go and are found by number and by name. Run in an empty directory. */
#include <errno.h>
#include <fcntl.h>
#include <inotifytools/inotify.h>
#include <inotifytools/inotifytools.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char* shown(const char* text) {
  return text ? text : "NULL";
}
static void touch(const char* path) {
  close(open(path, O_CREAT | O_WRONLY, 0644));
}

static void table(const char* title) {
  printf("%s: %d watches\n", title, inotifytools_get_num_watches());
  for (int wd = -1; wd < 9; ++wd) {
    const char* name = inotifytools_filename_from_wd(wd);
    if (*name != '\0') printf("  %d %s %d\n", wd, name, inotifytools_wd_from_filename(name));
  }
}

/* The same without numbers: which directory of a tree has which is not promised. */
static void tree(const char* title) {
  static const char* const names[] = {"a",    "a/", "a/b", "a/b/", "a/b/c/", "a/d/", "a/g",
                                      "a/m/", "l",  "l/",  "l/b/", "l/b/c/", "f"};
  printf("%s: %d watches\n", title, inotifytools_get_num_watches());
  for (size_t i = 0; i < sizeof names / sizeof *names; ++i) {
    const int wd = inotifytools_wd_from_filename(names[i]);
    if (wd > 0) printf("  %s %d\n", names[i], strcmp(inotifytools_filename_from_wd(wd), names[i]));
  }
}

static void result(const char* what, int got) {
  printf("%s = %d", what, got);
  if (!got) printf(", %s", strerror(inotifytools_error()));
  printf("\n");
}

int main(void) {
  result("initialize", inotifytools_initialize());
  printf("error %d\n", inotifytools_error());
  table("nothing");
  mkdir("a", 0755);
  mkdir("a/b", 0755);
  mkdir("a/b/c", 0755);
  mkdir("a/d", 0755);
  touch("f");
  touch("a/g");
  symlink("a", "l");
  symlink("nowhere", "dangling");
  symlink("b", "a/m");

  result("watch_file f", inotifytools_watch_file("f", IN_ALL_EVENTS));
  result("watch_file f again", inotifytools_watch_file("f", IN_MODIFY));
  result("watch_file a", inotifytools_watch_file("a", IN_ALL_EVENTS));
  result("watch_file a/", inotifytools_watch_file("a/", IN_ALL_EVENTS));
  table("a file and a directory");
  result("watch_file ./a/b", inotifytools_watch_file("./a/b", IN_CREATE));
  result("watch_file a//d//", inotifytools_watch_file("a//d//", IN_CREATE));
  table("odd slashes");
  result("watch_file missing", inotifytools_watch_file("missing", IN_ALL_EVENTS));
  printf("error %d\n", inotifytools_error());
  result("watch_file empty", inotifytools_watch_file("", IN_ALL_EVENTS));
  result("watch_file no events", inotifytools_watch_file("f", 0));
  result("watch_file f/x", inotifytools_watch_file("f/x", IN_ALL_EVENTS));
  result("watch_file l not followed", inotifytools_watch_file("l", IN_ALL_EVENTS | IN_DONT_FOLLOW));
  result("watch_file dangling", inotifytools_watch_file("dangling", IN_ALL_EVENTS));
  result("watch_file f directory only", inotifytools_watch_file("f", IN_ALL_EVENTS | IN_ONLYDIR));
  table("links");
  printf("error %d\n", inotifytools_error());

  printf("wd_from_filename: %d %d %d %d %d %d\n", inotifytools_wd_from_filename("f"),
         inotifytools_wd_from_filename("a"), inotifytools_wd_from_filename("a/"),
         inotifytools_wd_from_filename("missing"), inotifytools_wd_from_filename(""),
         inotifytools_wd_from_filename("./f"));
  printf("filename_from_wd: %s %s %s %s\n", shown(inotifytools_filename_from_wd(1)),
         shown(inotifytools_filename_from_wd(999)), shown(inotifytools_filename_from_wd(0)),
         shown(inotifytools_filename_from_wd(-1)));
  result("remove_watch_by_wd 1", inotifytools_remove_watch_by_wd(1));
  result("remove_watch_by_wd 1 again", inotifytools_remove_watch_by_wd(1));
  result("remove_watch_by_wd 999", inotifytools_remove_watch_by_wd(999));
  result("remove_watch_by_filename a/", inotifytools_remove_watch_by_filename("a/"));
  result("remove_watch_by_filename missing", inotifytools_remove_watch_by_filename("missing"));
  printf("error %d\n", inotifytools_error());
  table("removed");
  result("watch_file l/", inotifytools_watch_file("l/", IN_ALL_EVENTS));
  result("watch_file a, by another name", inotifytools_watch_file("a", IN_ALL_EVENTS));
  printf("%s %d %d\n", inotifytools_filename_from_wd(6), inotifytools_wd_from_filename("l/"),
         inotifytools_wd_from_filename("a/"));
  inotifytools_cleanup();

  result("initialize anew", inotifytools_initialize());
  table("anew");
  result("watch_recursively a", inotifytools_watch_recursively("a", IN_ALL_EVENTS));
  tree("a tree");
  inotifytools_cleanup();

  inotifytools_initialize();
  static const char* left_out[] = {"a/b", "nothing", NULL};
  result("recursively, without a/b",
         inotifytools_watch_recursively_with_exclude("a/", IN_ALL_EVENTS, left_out));
  tree("a/b left out");
  inotifytools_cleanup();

  inotifytools_initialize();
  static const char* left_out_slash[] = {"a/b/c/", "a/d", NULL};
  result("recursively, without a/b/c/",
         inotifytools_watch_recursively_with_exclude("a", IN_ALL_EVENTS, left_out_slash));
  tree("a/b/c/ left out");
  static const char* left_out_top[] = {"a", NULL};
  result("recursively, without the top",
         inotifytools_watch_recursively_with_exclude("a", IN_ALL_EVENTS, left_out_top));
  tree("the top left out");
  inotifytools_cleanup();

  inotifytools_initialize();
  result("recursively f", inotifytools_watch_recursively("f", IN_ALL_EVENTS));
  result("recursively missing", inotifytools_watch_recursively("missing", IN_ALL_EVENTS));
  result("recursively l", inotifytools_watch_recursively("l", IN_ALL_EVENTS));
  result("recursively empty", inotifytools_watch_recursively("", IN_ALL_EVENTS));
  tree("several at the top");
  inotifytools_cleanup();

  inotifytools_initialize();
  static const char* several[] = {"f", "a", "a/b/", NULL};
  result("watch_files", inotifytools_watch_files(several, IN_ALL_EVENTS));
  table("several");
  static const char* one_missing[] = {"a/d", "missing", "a/g", NULL};
  result("watch_files, one missing", inotifytools_watch_files(one_missing, IN_ALL_EVENTS));
  table("up to the missing one");
  static const char* none[] = {NULL};
  result("watch_files, none", inotifytools_watch_files(none, IN_ALL_EVENTS));
  result("initialize again", inotifytools_initialize());
  table("kept");

  inotifytools_set_filename_by_wd(1, "renamed");
  printf("%s %d %d\n", shown(inotifytools_filename_from_wd(1)), inotifytools_wd_from_filename("renamed"),
         inotifytools_wd_from_filename("f"));
  inotifytools_set_filename_by_wd(77, "nobody");
  inotifytools_set_filename_by_filename("renamed", "renamed again");
  inotifytools_set_filename_by_filename("nobody", "somebody");
  table("renamed");
  inotifytools_set_filename_by_filename("a/", "Z/");
  table("one of a tree renamed");
  inotifytools_replace_filename("a/", "aa/");
  table("a/ is aa/");
  inotifytools_replace_filename("Z", "X");
  table("Z is X");
  inotifytools_replace_filename("aa/b", "aa/a much longer name");
  table("aa/b is longer");
  inotifytools_replace_filename("", "y");
  inotifytools_replace_filename("aa/", "");
  table("empty prefixes change nothing");
  inotifytools_cleanup();
  inotifytools_cleanup();
  return 0;
}
