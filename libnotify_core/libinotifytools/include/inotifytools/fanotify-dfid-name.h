/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Once for kernel headers without FAN_REPORT_DFID_NAME. */
#ifndef INOTIFYTOOLS_FANOTIFY_DFID_NAME_H
#define INOTIFYTOOLS_FANOTIFY_DFID_NAME_H

#include <sys/fanotify.h>

#endif
