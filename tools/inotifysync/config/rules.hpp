// SPDX-License-Identifier: GPL-2.0-or-later
// What may be said to rsync, and what would not mean here what it says. Pure: each function says what is
// wrong; empty: nothing.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace inotifysync {

// A rule of `filter`: "+ PATTERN" or "- PATTERN". rsync knows more kinds ("P ", "!", "merge ", ...); as a
// pattern, such a rule would leave out a file of that name and protect nothing.
std::string filter_rule_fault(std::string_view rule);

// A pattern of --exclude and the like, which looks like a filter rule of one of those other kinds.
std::string pattern_fault(std::string_view pattern);
// The same for the lines of an --exclude-from file; names the line.
std::string pattern_lines_fault(std::string_view text);

// Options by which rsync brings nothing over, ends at once or takes its files from elsewhere: a run would
// look like a success.
std::string rsync_options_fault(const std::vector<std::string>& options);

}  // namespace inotifysync
