// SPDX-License-Identifier: GPL-2.0-or-later
// How long something has been going on.
#pragma once

#include <optional>

#include "inotifysync/loop/event_loop.hpp"

namespace inotifysync {

inline Duration age(const std::optional<Clock::time_point>& since, Clock::time_point now) {
  return since ? now - *since : Duration::zero();
}

}  // namespace inotifysync
