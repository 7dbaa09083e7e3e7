/* SPDX-License-Identifier: GPL-2.0-or-later */
/* struct inotify_event and the IN_ constants. */
#ifndef INOTIFYTOOLS_INOTIFY_H
#define INOTIFYTOOLS_INOTIFY_H

#include <sys/inotify.h>

#endif
