// SPDX-License-Identifier: GPL-2.0-or-later
// A pattern, then paths, each up to a newline. What is hidden with a directory must be hidden below it too.
#include "notify_core/filter.hpp"

#include <algorithm>

#include "input.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using notify_core::Filter;
  std::string_view rest = fuzz::text(data, size);
  const std::string_view pattern = fuzz::take(rest, '\n');
  // glibc's regcomp(3) takes exponential time and memory over repeated repetitions, counts and back
  // references, in whoever's hands.
  if (pattern.size() > 64 || pattern.find_first_of("{\\") != std::string_view::npos) return 0;
  if (std::count(pattern.begin(), pattern.end(), '+') > 6) return 0;

  for (const auto shows : {Filter::Shows::matching, Filter::Shows::not_matching}) {
    const auto filter = Filter::create(pattern, shows, size % 2 == 0);
    if (!filter) {
      fuzz::require(!filter.error().detail.empty());
      return 0;
    }
    std::string_view paths = rest.substr(0, 512);
    while (!paths.empty()) {
      const std::string_view path = fuzz::take(paths, '\n');
      if (path.find('\0') != std::string_view::npos) continue;  // no path has one
      const std::string directory = std::string(path) + "/";
      filter.value().shows(path, "");
      if (filter.value().hides_all_below(directory)) {
        fuzz::require(!filter.value().shows(directory, "entry"));
        fuzz::require(!filter.value().shows(directory + "below/", "\xff, \n"));
      }
    }
  }
  return 0;
}
