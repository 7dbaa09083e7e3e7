// SPDX-License-Identifier: GPL-2.0-or-later
// Durations and limits, as people write them.
#include <charconv>
#include <utility>

#include "inotifysync/config/config.hpp"

namespace inotifysync {

using notify_core::Error;
using notify_core::Result;

Result<Milliseconds> parse_duration(std::string_view text) {
  const Error error{0, "", std::string(text), duration_words};
  double value = 0;
  const auto [end, problem] =
      std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  if (problem != std::errc{} || value < 0) return error;
  const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  static constexpr std::pair<std::string_view, double> units[] = {
      {"ms", 1}, {"s", 1e3}, {"", 1e3}, {"m", 60e3}, {"min", 60e3}, {"h", 3600e3}, {"d", 86400e3}};
  for (const auto& [unit_name, factor] : units) {
    if (unit_name != unit) continue;
    const double milliseconds = value * factor;
    if (!(milliseconds <= 1e12)) return error;
    return Milliseconds(static_cast<Milliseconds::rep>(milliseconds + 0.5));
  }
  return error;
}

Result<DeleteLimit> parse_delete_limit(std::string_view text) {
  const Error error{0, "", std::string(text), "a count such as 1000 or a share such as 25%"};
  DeleteLimit limit;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), limit.value);
  const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  if (problem != std::errc{} || (unit != "" && unit != "%")) return error;
  limit.unit = unit.empty() ? DeleteLimit::Unit::count : DeleteLimit::Unit::percent;
  if (limit.unit == DeleteLimit::Unit::percent && limit.value > 100) return error;
  return limit;
}

}  // namespace inotifysync
