/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The FAN_ constants and the records of fanotify(7). */
#ifndef INOTIFYTOOLS_FANOTIFY_H
#define INOTIFYTOOLS_FANOTIFY_H

#include <sys/fanotify.h>

#endif
