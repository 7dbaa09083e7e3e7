// SPDX-License-Identifier: GPL-2.0-or-later
#include "event/event_mask.hpp"

#include <algorithm>

namespace notify_core::event {
namespace {

constexpr char upper(char c) {
  return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}

bool same_name(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return upper(x) == upper(y); });
}

}  // namespace

std::optional<EventMask> parse_one(std::string_view name) {
  for (const EventKind& kind : kinds) {
    if (same_name(kind.name, name)) return kind.bits;
  }
  return std::nullopt;
}

void append_labels(std::string& out, EventMask mask, char separator) {
  bool first = true;
  for (const EventKind& kind : kinds) {
    if (kind.label.empty() || (mask & kind.bits) == 0) continue;
    if (!first) out += separator;
    out += kind.label;
    first = false;
  }
}

}  // namespace notify_core::event
