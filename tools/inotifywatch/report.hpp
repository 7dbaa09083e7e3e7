// SPDX-License-Identifier: GPL-2.0-or-later
// Statistics as people read them: the table of inotify-tools, to the column. Pure.
#pragma once

#include <string>
#include <vector>

#include "inotifywatch/options.hpp"
#include "notify_core/statistics.hpp"

namespace notify_tools::inotifywatch {

// Groups, sorts and cuts the rows as `options` say.
notify_core::StatisticsReport make_report(std::vector<notify_core::StatisticsRow> rows,
                                          const Options& options);

// Appends the table; nothing where nothing was counted.
void append_table(std::string& out, const notify_core::StatisticsReport& report, const Options& options);
// Appends the line above the table of a period: when it ended, in local time, and how much happened in it.
void append_period(std::string& out, const notify_core::StatisticsReport& report);

}  // namespace notify_tools::inotifywatch
