// SPDX-License-Identifier: GPL-2.0-or-later
// Events as the command line names them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "notify_core/event.hpp"

namespace notify_tools {

// A value of --event: names in any case, separated by commas. An empty name makes the whole value say
// nothing: 0, whatever else is in it; what follows is not looked at. A program that was told nothing takes
// all events. Nothing is returned where a name is no event's.
std::optional<notify_core::EventMask> parse_event_list(std::string_view list);

// The "Events:" part of --help.
std::string event_rows();

}  // namespace notify_tools
