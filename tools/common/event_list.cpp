// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/event_list.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "event/event_mask.hpp"

namespace notify_tools {

using namespace notify_core;

namespace {

// The order in which --help names them; a unit test holds it complete.
constexpr std::array<std::string_view, 15> order_of_help{
    "access",     "modify", "attrib",    "close_write", "close_nowrite", "close",       "open",   "moved_to",
    "moved_from", "move",   "move_self", "create",      "delete",        "delete_self", "unmount"};

// Aligned as inotify-tools prints it, "move_self" out of line included.
std::string rows_of(const event::EventKind& kind) {
  const std::size_t break_at = kind.help.find('\n');
  const bool wide_gap = kind.name.size() < 8 || kind.name == "move_self";
  std::string rows =
      fmt::format("\t{}{}{}\n", kind.name, wide_gap ? "\t\t" : "\t", kind.help.substr(0, break_at));
  if (break_at != std::string_view::npos)
    rows += fmt::format("\t           \t{}\n", kind.help.substr(break_at + 1));
  return rows;
}

}  // namespace

std::optional<EventMask> parse_event_list(std::string_view list) {
  EventMask events = 0;
  for (;;) {
    const std::size_t comma = list.find(',');
    const std::string_view name = list.substr(0, comma);
    if (name.empty()) return 0;
    const std::optional<EventMask> bits = event::parse_one(name);
    if (!bits) return std::nullopt;
    events |= *bits;
    if (comma == std::string_view::npos) return events;
    list.remove_prefix(comma + 1);
  }
}

std::string event_rows() {
  std::string rows;
  for (const std::string_view name : order_of_help) {
    rows += rows_of(*std::ranges::find(event::kinds, name, &event::EventKind::name));
  }
  return rows;
}

}  // namespace notify_tools
