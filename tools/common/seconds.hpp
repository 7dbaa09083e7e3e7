// SPDX-License-Identifier: GPL-2.0-or-later
// Lengths of time as the command line gives them.
#pragma once

#include <chrono>
#include <string_view>

namespace notify_tools {

struct Seconds {
  enum class State { good, not_a_number, out_of_range };
  State state = State::good;
  bool negative = false;
  std::chrono::nanoseconds value{0};  // without its sign; what does not fit is the largest that does
};

// A number as strtol(3) takes it (leading space, a sign), with parts of a second after a point where wanted:
// "5", "0.25", ".5". Out of range: more than a long holds, as inotify-tools says it.
Seconds parse_seconds(std::string_view text);

}  // namespace notify_tools
