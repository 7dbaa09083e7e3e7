// SPDX-License-Identifier: GPL-2.0-or-later
// An event as text, by a format in the way of printf, into room of a given size. Format of the public face is
// not bounded and not so forgiving; programs written for libinotifytools count on both.
#pragma once

#include <ctime>
#include <span>
#include <string>
#include <string_view>

#include "notify_core/event.hpp"

namespace notify_core::inotifytools {

struct Printed {
  std::size_t used = 0;   // bytes written into the room
  bool complete = false;  // false: nothing is to be shown of it (a bare '%' at the end, an empty time)
};

// Of `event` are used mask, cookie, watched, name and time. `time_format` is strftime(3)'s; null: %T is
// empty. Reads no clock; the time zone is the process's.
Printed print(std::span<char> room, std::string_view format, const Event& event,
              const std::string* time_format);

}  // namespace notify_core::inotifytools
