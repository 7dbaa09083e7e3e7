// SPDX-License-Identifier: GPL-2.0-or-later
// Where sources and targets really lie, behind symbolic links and mounts.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "inotifysync/config/config.hpp"

namespace inotifysync {

// Two local directories that may not be what they are meant to be: one line that names both. Empty: none.
// What is not there yet is where it will be made.
std::string places_fault(const std::vector<SourceConfig>& sources);
// The same for the program's own files (pid, status and log file): two that are one, and, where it
// is watched, one in a source that would be sent from there, so that each run brings the next.
std::string own_files_fault(const Config& config, bool watches);

// What `check` says; none, too, where it could not tell within `patience`, as on a filesystem that hangs. It
// goes on by itself then.
std::string fault_within(std::chrono::milliseconds patience, std::function<std::string()> check);

}  // namespace inotifysync
