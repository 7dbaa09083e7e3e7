/* SPDX-License-Identifier: GPL-2.0-or-later */
/* libnotify_core for C: watches files and trees of directories and hands on what happens to them.
 *
 * Conventions. Functions that can fail return 0 or more on success and minus an errno(3) value on failure;
 * what failed, and on which path, is then told by notify_watcher_error(). Strings are bytes: paths need not
 * be UTF-8. Strings in events and notices belong to the watcher and are valid until the callback returns.
 * From within a callback, add, wait and dispatch fail with -EBUSY, and the watcher must not be freed: return
 * 1 from it and do that then. A watcher may be used by one thread at a time. No function prints, exits, or
 * lets a C++ exception out. No pointer may be NULL but where it is said. C11 is enough, or C99 with POSIX's
 * struct timespec
 * (_POSIX_C_SOURCE).
 */
#ifndef NOTIFY_CORE_H
#define NOTIFY_CORE_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

#if defined(__GNUC__)
#define NOTIFY_C_API __attribute__((visibility("default")))
#else
#define NOTIFY_C_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Events, with the values of inotify(7). */
enum notify_mask {
  NOTIFY_ACCESS = 0x001,
  NOTIFY_MODIFY = 0x002,
  NOTIFY_ATTRIB = 0x004,
  NOTIFY_CLOSE_WRITE = 0x008,
  NOTIFY_CLOSE_NOWRITE = 0x010,
  NOTIFY_OPEN = 0x020,
  NOTIFY_MOVED_FROM = 0x040,
  NOTIFY_MOVED_TO = 0x080,
  NOTIFY_CREATE = 0x100,
  NOTIFY_DELETE = 0x200,
  NOTIFY_DELETE_SELF = 0x400,
  NOTIFY_MOVE_SELF = 0x800,
  NOTIFY_UNMOUNT = 0x2000,
  NOTIFY_Q_OVERFLOW = 0x4000,
  NOTIFY_IGNORED = 0x8000,
  NOTIFY_IS_DIRECTORY = 0x40000000,
  NOTIFY_CLOSE = NOTIFY_CLOSE_WRITE | NOTIFY_CLOSE_NOWRITE,
  NOTIFY_MOVE = NOTIFY_MOVED_FROM | NOTIFY_MOVED_TO,
  NOTIFY_ALL_EVENTS = 0xfff
};

enum notify_backend {
  NOTIFY_INOTIFY,            /* one inotify watch a directory */
  NOTIFY_FANOTIFY,           /* one fanotify mark a directory */
  NOTIFY_FANOTIFY_FILESYSTEM /* one mark for the filesystem of each operand */
};

/* Begin with NOTIFY_OPTIONS_INIT; a member left 0 means "no". */
struct notify_options {
  size_t size;         /* sizeof(struct notify_options): which members the caller knows */
  int backend;         /* enum notify_backend */
  uint32_t mask;       /* what to be told of: enum notify_mask */
  int recursive;       /* watch the directories below each path too */
  int follow_tree;     /* with recursive: keep up with directories born, moved and lost later */
  int follow_symlinks; /* a path that is a symbolic link stands for what it points to */
  int recover; /* report entries found in directories born under watch that the kernel was silent of */
  int gather;  /* under load, pause a millisecond so that one read brings many events */
};

#define NOTIFY_OPTIONS_INIT \
  { sizeof(struct notify_options), NOTIFY_INOTIFY, NOTIFY_ALL_EVENTS, 0, 0, 1, 1, 0 }

struct notify_event {
  uint32_t mask;
  uint32_t cookie;       /* equal on the two halves of a rename, else 0 */
  const char* watched;   /* path of the watch; of a directory it ends in '/' */
  size_t watched_length; /* in bytes, without the final NUL */
  const char* name;      /* entry in that directory; empty for the watched object itself */
  size_t name_length;
  struct timespec time; /* CLOCK_REALTIME when the event was read from the kernel */
  int32_t pid;          /* who did it; 0 where the backend does not know */
  int recovered;        /* found by listing a newborn directory */
};

enum notify_notice_kind {
  NOTIFY_NEW_DIRECTORY,     /* a directory born or moved in is watched now */
  NOTIFY_WATCH_DELETED,     /* a watch ended: deleted or unmounted */
  NOTIFY_WATCH_MOVED_OUT,   /* a watch ended: moved to where nothing is watched */
  NOTIFY_OVERFLOW,          /* the kernel's queue overflowed: events were lost */
  NOTIFY_OVERFLOW_REPAIRED, /* the tree was read again, every directory is watched */
  NOTIFY_WATCH_FAILED,      /* a directory could not be watched */
  NOTIFY_EVENTS_LOST,       /* fanotify: events of directories that nothing leads to any more */
  NOTIFY_ASTRAY             /* an operand has moved: what is made in it is watched once it is back */
};

/* Returns 0 to go on, anything else to stop: the call that made the callback then returns. */
typedef int (*notify_on_event)(const struct notify_event* event, void* context);
/* `error` is an errno value for NOTIFY_WATCH_FAILED, else 0. */
typedef void (*notify_on_notice)(enum notify_notice_kind kind, const char* path, int error, void* context);

typedef struct notify_watcher notify_watcher;

/* Makes a watcher; *watcher is NULL on failure. The caller frees it. Options of NULL: NOTIFY_OPTIONS_INIT. */
NOTIFY_C_API int notify_watcher_create(const struct notify_options* options, notify_watcher** watcher);
NOTIFY_C_API void notify_watcher_free(notify_watcher* watcher); /* NULL is allowed */

/* Of what may not be read below `path`, NOTIFY_WATCH_FAILED tells; the rest is watched. */
NOTIFY_C_API int notify_watcher_add(notify_watcher* watcher, const char* path);
NOTIFY_C_API void notify_watcher_set_notice(notify_watcher* watcher, notify_on_notice on_notice,
                                            void* context);

/* Waits at most `timeout` (NULL, or centuries: for ever). 1: events were handed on, or the callback stopped;
 * 0: the timeout is over; -EINTR: a signal came first; -EINVAL: that is no length of time. */
NOTIFY_C_API int notify_watcher_wait(notify_watcher* watcher, const struct timespec* timeout,
                                     notify_on_event on_event, void* context);

/* For programs with a loop of their own: the descriptor becomes readable when dispatch has something to do,
 * and dispatch never blocks. 1: events were handed on; 0: there were none. Call it again at once while
 * notify_watcher_has_work() says 1. Directories that were left out for want of watches or descriptors are
 * tried again by calls that come a second or more later, whether the descriptor is readable or not. */
NOTIFY_C_API int notify_watcher_descriptor(const notify_watcher* watcher);
NOTIFY_C_API int notify_watcher_has_work(const notify_watcher* watcher);
NOTIFY_C_API int notify_watcher_dispatch(notify_watcher* watcher, notify_on_event on_event, void* context);

NOTIFY_C_API size_t notify_watcher_count(const notify_watcher* watcher); /* live watches */

/* What the call failed at that returned an error last: "inotify_add_watch /srv/www: No such file or
 * directory". Never NULL; valid until the next call. */
NOTIFY_C_API const char* notify_watcher_error(const notify_watcher* watcher);

/* Writes the names of all bits set, comma-separated and NUL-terminated, as inotifywait prints them, cut to
 * `size` bytes. Returns the length of the whole text. */
NOTIFY_C_API size_t notify_mask_names(uint32_t mask, char* buffer, size_t size);
/* The bits of one event name, in any case; 0 where there is none of that name. */
NOTIFY_C_API uint32_t notify_mask_parse(const char* name);

#ifdef __cplusplus
}
#endif

#endif
