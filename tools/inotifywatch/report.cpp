// SPDX-License-Identifier: GPL-2.0-or-later
#include "inotifywatch/report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <ctime>
#include <iterator>
#include <string_view>
#include <utility>

namespace notify_tools::inotifywatch {

using namespace notify_core;

namespace {

std::string_view name_of_rows(By by) {
  switch (by) {
    case By::directory:
      return "directory";
    case By::extension:
      return "extension";
    case By::event:
      return "event";
    case By::watch:
      break;
  }
  return "path";
}

// The counters that have a column, by their place in counted_events.
std::vector<std::size_t> columns_of(const StatisticsReport& report, bool zero_too) {
  std::vector<std::size_t> result;
  if (!report.rows_have_columns) return result;
  for (std::size_t i = 0; i < counted_events.size(); ++i) {
    const auto occurred = [i](const StatisticsRow& row) { return row.counts.of[i] != 0; };
    if ((counted_events[i] & report.events) == 0) continue;
    if (zero_too || std::ranges::any_of(report.rows, occurred)) result.push_back(i);
  }
  return result;
}

// Each cell is as wide as the title of its column and two blanks. A longer number pushes the rest of its row
// to the right, as it always did.
template <class Value>
void append_cell(std::string& out, const Value& value, std::string_view title) {
  fmt::format_to(std::back_inserter(out), "{:<{}}  ", value, title.size());
}

void keep_occurred(std::vector<StatisticsRow>& rows) {
  std::erase_if(rows, [](const StatisticsRow& row) { return row.counts.total == 0; });
}

}  // namespace

StatisticsReport make_report(std::vector<StatisticsRow> rows, const Options& options) {
  StatisticsReport report;
  report.events = options.events;
  report.totals = sum(rows);
  report.rows_are = name_of_rows(options.by);
  report.rows = std::move(rows);
  SortKey key = options.sort;
  // What is seen through a mark of a whole filesystem may be forgotten and found again.
  if (options.backend == Backend::fanotify_filesystem) report.rows = group_by_name(report.rows);
  if (options.by == By::directory) report.rows = group_by_directory(report.rows);
  if (options.by == By::event) {
    report.rows = group_by_event(report.rows, options.events);
    report.rows_have_columns = false;
    if (!options.zero) keep_occurred(report.rows);
    key.bits = 0;  // these rows have one number each
  }
  sort_rows(report.rows, key);
  if (options.top != 0 && report.rows.size() > options.top) report.rows.resize(options.top);
  return report;
}

void append_table(std::string& out, const StatisticsReport& report, const Options& options) {
  if (report.totals.total == 0) return;
  constexpr std::string_view total = "total", per_second = "per_second";
  const std::vector<std::size_t> columns = columns_of(report, options.zero);
  append_cell(out, total, total);
  if (options.rates) append_cell(out, per_second, per_second);
  for (const std::size_t i : columns) append_cell(out, counter_name(i), counter_name(i));
  out += options.by == By::watch ? "filename" : report.rows_are;
  out += '\n';
  for (const StatisticsRow& row : report.rows) {
    append_cell(out, row.counts.total, total);
    if (options.rates) append_cell(out, fmt::format("{:.1f}", rate(row.counts.total, report)), per_second);
    for (const std::size_t i : columns) append_cell(out, row.counts.of[i], counter_name(i));
    out += row.name;
    out += '\n';
  }
}

void append_period(std::string& out, const StatisticsReport& report) {
  const std::time_t ended = static_cast<std::time_t>(report.ended / 1'000'000'000);
  std::tm local{};
  ::localtime_r(&ended, &local);
  std::array<char, 32> text{};
  const std::size_t length = std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S", &local);
  fmt::format_to(std::back_inserter(out), "{}  {:.3f} s  {} events  {:.1f}/s\n",
                 std::string_view(text.data(), length), report.seconds, report.totals.total,
                 rate(report.totals.total, report));
}

}  // namespace notify_tools::inotifywatch
