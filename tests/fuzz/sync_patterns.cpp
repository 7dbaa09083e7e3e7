// SPDX-License-Identifier: GPL-2.0-or-later
// What is asked of rules and options ends; and lines of an --exclude-from file, then a path after a NUL byte:
// matching ends, and what lies below an excluded directory is hidden.
#include "inotifysync/config/patterns.hpp"
#include "inotifysync/config/rules.hpp"
#include "input.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest = fuzz::text(data, size);
  const std::string_view lines = fuzz::take(rest, '\0');
  inotifysync::filter_rule_fault(lines);
  inotifysync::pattern_lines_fault(lines);
  inotifysync::rsync_options_fault({std::string(lines), std::string(rest)});
  inotifysync::PatternList patterns;
  patterns.add_lines(lines, size % 2 == 0);
  if (rest.empty() || rest.front() == '/' || rest.back() == '/') return 0;
  patterns.hides(rest, false);
  if (patterns.hides(rest, true)) fuzz::require(patterns.hides(std::string(rest) + "/below", false));
  return 0;
}
