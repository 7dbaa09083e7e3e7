// SPDX-License-Identifier: GPL-2.0-or-later
// Loaded before a program (LD_PRELOAD), it takes root's privilege of an unlimited queue of fanotify away, so
// that one can be made to overflow.
#include <sys/fanotify.h>
#include <sys/syscall.h>
#include <unistd.h>

int fanotify_init(unsigned flags, unsigned event_flags) {
  return (int)syscall(SYS_fanotify_init, flags & ~(unsigned)FAN_UNLIMITED_QUEUE, event_flags);
}
