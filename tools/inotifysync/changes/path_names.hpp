// SPDX-License-Identifier: GPL-2.0-or-later
// A path, name by name.
#pragma once

#include <string_view>

namespace inotifysync {

// Takes the first name off `rest`; empty when there is none left. Doubled slashes are one.
inline std::string_view next_name(std::string_view& rest) {
  while (!rest.empty() && rest.front() == '/') rest.remove_prefix(1);
  const std::string_view name = rest.substr(0, rest.find('/'));
  rest.remove_prefix(name.size());
  return name;
}

}  // namespace inotifysync
