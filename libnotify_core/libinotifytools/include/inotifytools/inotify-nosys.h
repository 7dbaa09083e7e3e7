/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Once for systems without <sys/inotify.h>; there are none left. */
#ifndef INOTIFYTOOLS_INOTIFY_NOSYS_H
#define INOTIFYTOOLS_INOTIFY_NOSYS_H

#include <sys/inotify.h>

#endif
