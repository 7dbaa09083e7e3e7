// SPDX-License-Identifier: GPL-2.0-or-later
// Where sources and targets really lie, behind symbolic links and mounts.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "inotifysync/config/config.hpp"

namespace inotifysync {

// Two local directories that may not be what they are meant to be: one line that names both. Empty: none.
// What is not there yet is where it will be made.
std::string places_fault(const std::vector<SourceConfig>& sources);
// The same; none, too, where that could not be told within `patience`, as on a filesystem that hangs.
std::string places_fault_within(std::chrono::milliseconds patience, const std::vector<SourceConfig>& sources);

}  // namespace inotifysync
