/* SPDX-License-Identifier: GPL-2.0-or-later */
/* libinotifytools' functions, on libnotify_core: programs written for the library of inotify-tools compile
 * and link against this one unchanged. New programs are better served by notify_core/notify_core.h.
 *
 * All functions work on one hidden state a process and are NOT thread-safe; strings and events that they
 * return belong to the library and are valid until the next call, unless it says otherwise. A function that
 * can fail returns 1 on success and 0 on failure, and inotifytools_error() then tells the errno(3) value.
 * `events` are inotify(7)'s bits. A watch descriptor, "wd", is a positive number. No function prints of
 * itself, or exits.
 */
#ifndef INOTIFYTOOLS_H
#define INOTIFYTOOLS_H

#include <stddef.h>
#include <stdio.h>

#define MAX_STRLEN 4096

#if defined(__GNUC__)
#define INOTIFYTOOLS_API __attribute__((visibility("default")))
#else
#define INOTIFYTOOLS_API
#endif

#ifdef __cplusplus
/* C++ takes a list of strings whose pointers are constant, too. */
#define INOTIFYTOOLS_LIST char const* const*
extern "C" {
#else
#define INOTIFYTOOLS_LIST char const**
#endif

struct inotify_event; /* <inotifytools/inotify.h> */
struct watch;         /* a watch from inside; opaque */

/* Text of `len` bytes; it may hold NUL bytes and is not ended by one. */
struct nstring {
  char buf[MAX_STRLEN];
  unsigned int len;
};

/* --- Beginning and end. Nothing else works in between, but what needs no watch. */

INOTIFYTOOLS_API int inotifytools_initialize(void); /* inotify; called again, it keeps what is there */
/* `fanotify`: by fanotify(7), which needs the rights for it; with `watch_filesystem`, a file that is watched
 * stands for its whole filesystem. `verbose` changes nothing. */
INOTIFYTOOLS_API int inotifytools_init(int fanotify, int watch_filesystem, int verbose);
INOTIFYTOOLS_API void inotifytools_cleanup(void); /* all is as at the start */
INOTIFYTOOLS_API int inotifytools_error(void);    /* why the last call failed; 0: it did not */

/* --- Watches. A directory is known by its path with a '/' at the end, whether it was given with one or not.
 */

INOTIFYTOOLS_API int inotifytools_watch_file(char const* filename, int events);
/* All of a list that ends with NULL; ends at the first that fails. */
INOTIFYTOOLS_API int inotifytools_watch_files(INOTIFYTOOLS_LIST filenames, int events);
/* `path` and all directories below it; symbolic links are followed at the top alone. What may not be read, or
 * vanishes meanwhile, is left out and is no failure. */
INOTIFYTOOLS_API int inotifytools_watch_recursively(char const* path, int events);
/* Without the directories of a list that ends with NULL, and what is below them; the list may be NULL. */
INOTIFYTOOLS_API int inotifytools_watch_recursively_with_exclude(char const* path, int events,
                                                                 INOTIFYTOOLS_LIST exclude_list);
/* To remove what is not watched is no failure. */
INOTIFYTOOLS_API int inotifytools_remove_watch_by_wd(int wd);
INOTIFYTOOLS_API int inotifytools_remove_watch_by_filename(char const* filename);
/* A watch that the kernel ended (IN_IGNORED) counts until it is removed. */
INOTIFYTOOLS_API int inotifytools_get_num_watches(void);

/* --- Names of watches: those they were set up with, a directory's with a '/' at its end, until these
 * functions change them; renames are not followed. A name must be given as it is kept: "dir/", not "dir". An
 * unknown watch is called "", an unknown name has the number -1. */

INOTIFYTOOLS_API int inotifytools_wd_from_filename(char const* filename);
INOTIFYTOOLS_API const char* inotifytools_filename_from_wd(int wd);
INOTIFYTOOLS_API const char* inotifytools_filename_from_watch(struct watch* w);
INOTIFYTOOLS_API void inotifytools_set_filename_by_wd(int wd, char const* filename);
INOTIFYTOOLS_API void inotifytools_set_filename_by_filename(char const* oldname, char const* newname);
/* In every name that begins with `oldname`, puts `newname` in its place. */
INOTIFYTOOLS_API void inotifytools_replace_filename(char const* oldname, char const* newname);

/* --- Events. */

/* Waits for an event, at most `timeout` seconds; 0 and less: for ever. NULL: none came, or it failed (a
 * signal is EINTR). */
INOTIFYTOOLS_API struct inotify_event* inotifytools_next_event(long int timeout);
/* The same; `num_events`, from 1 to 4096, no longer makes it wait for that many. */
INOTIFYTOOLS_API struct inotify_event* inotifytools_next_events(long int timeout, int num_events);

/* From now on, events on paths that match (or, inverted, do not match) are passed over; NULL: none is.
 * `flags`: regcomp(3)'s. One pattern at a time: the last one holds. */
INOTIFYTOOLS_API int inotifytools_ignore_events_by_regex(char const* pattern, int flags);
INOTIFYTOOLS_API int inotifytools_ignore_events_by_inverted_regex(char const* pattern, int flags);

/* The name of the event's watch, and its length. */
INOTIFYTOOLS_API const char* inotifytools_dirname_from_event(struct inotify_event* event, size_t* dirnamelen);
/* The same, and the name of what it happened to in there; that is "" for the watched object itself. */
INOTIFYTOOLS_API const char* inotifytools_filename_from_event(struct inotify_event* event,
                                                              char const** eventname, size_t* dirnamelen);
/* The path of the directory that the event is about, with a '/' at its end; NULL: it is about something else.
 * The caller frees it. */
INOTIFYTOOLS_API char* inotifytools_dirpath_from_event(struct inotify_event* event);

/* --- Bits and names. A name is as in inotify(7), without "IN_", in any case. */

/* 0: a name is empty, or there is none (NULL); -1: no event is called so, or `sep` may be part of a name. */
INOTIFYTOOLS_API int inotifytools_str_to_event(char const* event);
INOTIFYTOOLS_API int inotifytools_str_to_event_sep(char const* event, char sep);
/* Bits without any event come out in hexadecimal. */
INOTIFYTOOLS_API char* inotifytools_event_to_str(int events);
INOTIFYTOOLS_API char* inotifytools_event_to_str_sep(int events, char sep);

/* --- Events as text. In a format stand for themselves all but: %w the watch's name, %f the name in it, %e
 * the events, %Xe the events with X between them, %c the cookie, %T the time, %0 a NUL byte, %n a line feed,
 * %% a per cent. Returned is one less than the number of bytes written: -1 where there was nothing to write.
 * Where a format ends in a bare '%', or the time comes out empty, nothing is written. */

INOTIFYTOOLS_API int inotifytools_printf(struct inotify_event* event, const char* fmt);
INOTIFYTOOLS_API int inotifytools_fprintf(FILE* file, struct inotify_event* event, const char* fmt);
INOTIFYTOOLS_API int inotifytools_sprintf(struct nstring* out, struct inotify_event* event, const char* fmt);
/* At most `size` bytes, up to MAX_STRLEN. */
INOTIFYTOOLS_API int inotifytools_snprintf(struct nstring* out, int size, struct inotify_event* event,
                                           const char* fmt);
/* The strftime(3) format of %T, which is copied; NULL: %T is empty. */
INOTIFYTOOLS_API void inotifytools_set_printf_timefmt(const char* fmt);

/* --- Statistics: how often what happened since this call. `event` is one event, or 0 for all that was
 * reported; -1 is returned for any other, for an unknown watch, and where this was never called. */

INOTIFYTOOLS_API void inotifytools_initialize_stats(void);
INOTIFYTOOLS_API int inotifytools_get_stat_by_wd(int wd, int event);
INOTIFYTOOLS_API int inotifytools_get_stat_by_filename(char const* filename, int event);
INOTIFYTOOLS_API int inotifytools_get_stat_total(int event);

/* --- The kernel's limits, as /proc/sys/fs/inotify tells them; -1: it does not. */

INOTIFYTOOLS_API int inotifytools_get_max_queued_events(void);
INOTIFYTOOLS_API int inotifytools_get_max_user_instances(void);
INOTIFYTOOLS_API int inotifytools_get_max_user_watches(void);

#ifdef __cplusplus
}
#endif

#endif
