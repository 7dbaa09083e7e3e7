// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/seconds.hpp"

#include <charconv>
#include <cstdint>
#include <limits>

namespace notify_tools {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// How many digits `text` begins with.
std::size_t digits_in(std::string_view text) {
  std::size_t count = 0;
  while (count < text.size() && is_digit(text[count])) ++count;
  return count;
}

std::chrono::nanoseconds fraction_of(std::string_view digits) {
  std::int64_t nanoseconds = 0;
  for (std::size_t i = 0; i < 9; ++i)
    nanoseconds = nanoseconds * 10 + (i < digits.size() ? digits[i] - '0' : 0);
  return std::chrono::nanoseconds(nanoseconds);
}

}  // namespace

Seconds parse_seconds(std::string_view text) {
  constexpr Seconds bad{Seconds::State::not_a_number, false, {}};
  Seconds seconds;
  const std::size_t start = text.find_first_not_of(" \t\n\v\f\r");
  if (start == std::string_view::npos) return bad;
  text.remove_prefix(start);
  seconds.negative = text.front() == '-';
  if (seconds.negative || text.front() == '+') text.remove_prefix(1);

  const std::string_view whole = text.substr(0, digits_in(text));
  text.remove_prefix(whole.size());
  std::string_view part;
  if (text.starts_with('.')) {
    part = text.substr(1, digits_in(text.substr(1)));
    text.remove_prefix(1 + part.size());
    if (part.empty()) return bad;
  }
  if (!text.empty() || (whole.empty() && part.empty())) return bad;

  std::int64_t number = 0;
  if (!whole.empty() &&
      std::from_chars(whole.data(), whole.data() + whole.size(), number).ec != std::errc()) {
    seconds.state = Seconds::State::out_of_range;
    return seconds;
  }
  constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max() / 1'000'000'000 - 1;
  seconds.value = std::chrono::seconds(std::min(number, most)) + fraction_of(part);
  return seconds;
}

}  // namespace notify_tools
