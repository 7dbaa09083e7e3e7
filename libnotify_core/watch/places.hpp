// SPDX-License-Identifier: GPL-2.0-or-later
// How directories are found and looked at, whoever walks them.
#pragma once

#include <string>

#include "sys/fd.hpp"
#include "watch/watch_tree.hpp"

namespace notify_core::watch {

// Opens a directory by its path, however long, from an open directory or AT_FDCWD. `flags` as in open(2). A
// negative errno where that fails.
int open_path(int from, std::string path, int flags);

// The same of `node`, from the working directory. It may have become another directory since: compare
// watches.
int open_node(const WatchTree& tree, NodeId node, int flags);

// Errors that only mean that the name has vanished or become something else since it was seen.
bool vanished(int status);

// Errors after which the rest of a tree fares no better: out of watches or of descriptors.
bool limit_reached(int status);
// Of these there may be enough again in a moment.
bool out_of_descriptors(int status);

// Of an entry as readdir(3) has it; where the filesystem does not tell its type, it is looked at.
bool is_directory(const sys::Fd& directory, const char* name, unsigned char type);

// Is a directory's link count two more than the number of its subdirectories, on the filesystem of this one?
bool link_count_counts(int directory);

}  // namespace notify_core::watch
