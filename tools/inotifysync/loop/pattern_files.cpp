// SPDX-License-Identifier: GPL-2.0-or-later
#include "inotifysync/loop/pattern_files.hpp"

#include "inotifysync/loop/system.hpp"

namespace inotifysync {

notify_core::Result<PatternList> read_patterns(const std::vector<std::string>& filters) {
  PatternList patterns;
  for (const std::string& filter : filters) {
    const auto equals = filter.find('=');
    const std::string name = filter.substr(2, equals - 2), value = filter.substr(equals + 1);
    if (name == "exclude") {
      patterns.exclude(value);
    } else if (name == "include") {
      patterns.include(value);
    } else {
      auto text = read_file(value);
      if (!text) return text.error();
      patterns.add_lines(*text, name == "include-from");
    }
  }
  return patterns;
}

}  // namespace inotifysync
