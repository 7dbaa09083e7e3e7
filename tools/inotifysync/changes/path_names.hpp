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

// Empty for what is at the top.
inline std::string_view parent_of(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? std::string_view{} : path.substr(0, slash);
}

inline bool at_top(std::string_view path) {
  return path.find('/') == std::string_view::npos;
}

inline bool is_below(std::string_view path, std::string_view directory) {
  return path.starts_with(directory) && path.substr(directory.size()).starts_with('/');
}

// The rsync at the other end goes to what a place that looks so matches there. No backslash helps where
// nothing does.
inline bool looks_like_pattern(std::string_view path) {
  return path.find_first_of("*?[") != std::string_view::npos;
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
