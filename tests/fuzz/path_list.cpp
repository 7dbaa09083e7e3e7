// SPDX-License-Identifier: GPL-2.0-or-later
// Lines of --fromfile: each names one path or nothing, and no path is empty or holds a newline or a NUL byte.
#include "common/path_list.hpp"

#include <algorithm>

#include "input.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz::text(data, size);
  notify_tools::PathList list;
  list.add_lines(text);
  const auto lines = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')) + 1;
  fuzz::require(list.watched.size() + list.excluded.size() <= lines);
  for (const auto* paths : {&list.watched, &list.excluded}) {
    for (const std::string& path : *paths) {
      fuzz::require(!path.empty() && path.find_first_of(std::string_view("\n\0", 2)) == std::string::npos);
    }
  }
  return 0;
}
