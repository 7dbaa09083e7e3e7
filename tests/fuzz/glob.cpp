// SPDX-License-Identifier: GPL-2.0-or-later
// A glob becomes a regular expression that compiles, unless one of its brackets is open; plain names match
// themselves.
#include "text/glob.hpp"

#include "input.hpp"
#include "notify_core/filter.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view glob = fuzz::text(data, size);
  if (size > 128 || glob.find('\0') != std::string_view::npos) return 0;
  const auto filter = notify_core::Filter::create(notify_core::text::glob_to_regex(glob),
                                                  notify_core::Filter::Shows::matching, false);
  if (!filter) {
    fuzz::require(glob.find('[') != std::string_view::npos);
    return 0;
  }
  if (!glob.empty() && glob.find_first_of("*?[\\/\n") == std::string_view::npos) {
    fuzz::require(filter->shows("src/" + std::string(glob), ""));
    fuzz::require(filter->shows(std::string(glob) + "/", "below"));
    fuzz::require(!filter->shows("src/x" + std::string(glob) + "x", ""));
  }
  return 0;
}
