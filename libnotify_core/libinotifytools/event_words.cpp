// SPDX-License-Identifier: GPL-2.0-or-later
#include "libinotifytools/event_words.hpp"

#include <cstdio>

#include "event/event_mask.hpp"

namespace notify_core::inotifytools {
namespace {

bool may_be_in_a_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

}  // namespace

int bits_of(std::string_view names, char separator) {
  if (names.empty()) return 0;
  if (may_be_in_a_name(separator) || separator == '\0') return -1;
  EventMask bits = 0;
  for (std::size_t at = 0; at <= names.size();) {
    const std::size_t end = std::min(names.find(separator, at), names.size());
    if (end == at) return 0;
    const auto found = event::parse_one(names.substr(at, end - at));
    if (!found) return -1;
    bits |= *found;
    at = end + 1;
  }
  return static_cast<int>(bits);
}

std::string names_of(EventMask bits, char separator) {
  std::string names;
  event::append_labels(names, bits, separator);
  if ((bits & mask::one_shot) != 0) {
    if (!names.empty()) names += separator;
    names += "ONESHOT";
  }
  if (names.empty()) {
    char digits[16];
    std::snprintf(digits, sizeof digits, "0x%08x", bits);
    names = digits;
  }
  return names;
}

}  // namespace notify_core::inotifytools
