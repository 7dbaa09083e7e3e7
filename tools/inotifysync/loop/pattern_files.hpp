// SPDX-License-Identifier: GPL-2.0-or-later
// The patterns of a source, those in files with them.
#pragma once

#include <string>
#include <vector>

#include "inotifysync/config/patterns.hpp"
#include "notify_core/error.hpp"

namespace inotifysync {

// `filters` as in SourceConfig. Error: a file that cannot be read.
notify_core::Result<PatternList> read_patterns(const std::vector<std::string>& filters);

}  // namespace inotifysync
