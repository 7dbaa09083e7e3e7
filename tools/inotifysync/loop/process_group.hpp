// SPDX-License-Identifier: GPL-2.0-or-later
// What a child has forked, and what is left of it when the child itself has ended.
#pragma once

#include <sys/types.h>

#include <set>

namespace inotifysync {

// Whether a process of the group still runs. One that has ended and that nobody has asked for does not: in a
// container it may be left lying for ever.
bool is_group_alive(pid_t group);

// For a group that was killed, so that it is over when we say so. Not for ever: what is stuck in the kernel
// does not end.
void await_end_of_group(pid_t group);

// Where we are the first process of a container, what others leave behind comes to us: every connection that
// ssh shares ends as such. `children`: those of our own that nobody has waited for yet.
void reap_what_was_left(const std::set<pid_t>& children);

}  // namespace inotifysync
