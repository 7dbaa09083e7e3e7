// SPDX-License-Identifier: GPL-2.0-or-later
// A path, name by name.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace inotifysync {

// Takes the first name off `rest`; empty when there is none left. Doubled slashes are one.
inline std::string_view next_name(std::string_view& rest) {
  while (!rest.empty() && rest.front() == '/') rest.remove_prefix(1);
  const std::string_view name = rest.substr(0, rest.find('/'));
  rest.remove_prefix(name.size());
  return name;
}

// Without "." names. Nothing where it goes up: what ".." leads to, only the kernel can say.
inline std::optional<std::string> without_dots(std::string_view path) {
  std::string plain;
  for (std::string_view name = next_name(path); !name.empty(); name = next_name(path)) {
    if (name == "..") return std::nullopt;
    if (name == ".") continue;
    if (!plain.empty()) plain += '/';
    plain += name;
  }
  return plain;
}

}  // namespace inotifysync
