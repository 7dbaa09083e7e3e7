// SPDX-License-Identifier: GPL-2.0-or-later
// A watcher of a real tree, between whose system calls the tree is changed: where, is up to a seed. What in a
// running program takes the bad luck of a moment happens here in every run, and again when it is asked for.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "backend/backend.hpp"
#include "operations.hpp"

namespace interleaving {

struct Outcome {
  std::vector<std::string> faults;
  std::vector<std::string> story;  // what was done by whom, in order
};

// `schedule` says when which operation comes. `inotify` has no watches, and has none afterwards: to make one
// for every play would take longer than all the rest.
Outcome play(const std::vector<Operation>& operations, std::uint32_t schedule,
             notify_core::backend::WatchBackend& inotify);

}  // namespace interleaving
