// SPDX-License-Identifier: GPL-2.0-or-later
// Operands may lie within each other. What is watched for the first is read again for the second, and its
// watches see that: inotify-tools shows these events (open, access, close_nowrite) when it starts, so they
// belong to what scripts know.
#pragma once

#include "sys/fd.hpp"
#include "watch/watch_tree.hpp"

namespace notify_core::watch {

// Lists `directory`, which is that of `node`, and all watched directories below it. Nothing is changed; what
// cannot be opened is passed over.
void retread(sys::Fd directory, const WatchTree& tree, NodeId node);

}  // namespace notify_core::watch
