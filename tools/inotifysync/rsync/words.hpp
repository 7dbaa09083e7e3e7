// SPDX-License-Identifier: GPL-2.0-or-later
// How rsync's words are looked through. Pure.
#pragma once

#include <algorithm>
#include <initializer_list>
#include <string_view>

namespace inotifysync {

inline bool has(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

inline bool has_any(std::string_view text, std::initializer_list<std::string_view> parts) {
  return std::any_of(parts.begin(), parts.end(), [text](std::string_view part) { return has(text, part); });
}

inline bool starts(std::string_view text, std::string_view with) {
  return text.substr(0, with.size()) == with;
}

inline bool starts_any(std::string_view text, std::initializer_list<std::string_view> with) {
  return std::any_of(with.begin(), with.end(), [text](std::string_view one) { return starts(text, one); });
}

template <class Visit>
void for_each_line(std::string_view text, Visit visit) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    if (!line.empty()) visit(line);
  }
}

}  // namespace inotifysync
