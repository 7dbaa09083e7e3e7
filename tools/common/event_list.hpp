// SPDX-License-Identifier: GPL-2.0-or-later
// Events as the command line names them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "notify_core/event.hpp"

namespace notify_tools {

// A value of --event: names in any case, separated by commas. An empty name means all events, and what
// follows it is not looked at. Nothing where a name is no event's.
std::optional<notify_core::EventMask> parse_event_list(std::string_view list);

// The "Events:" part of --help.
std::string event_rows();

}  // namespace notify_tools
