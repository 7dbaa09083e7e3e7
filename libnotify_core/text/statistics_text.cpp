// SPDX-License-Identifier: GPL-2.0-or-later
// Statistics for programs that read them.
#include <array>
#include <charconv>
#include <concepts>

#include "notify_core/statistics.hpp"
#include "text/csv.hpp"
#include "text/json.hpp"

namespace notify_core {
namespace {

constexpr int time_digits = 6;
constexpr int rate_digits = 3;

void append(std::string& out, std::uint64_t number) {
  std::array<char, 24> digits;
  out.append(digits.data(), std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr);
}

void append(std::string& out, double number, int decimals) {
  std::array<char, 400> digits;  // the longest double has 309 digits before the point
  out.append(digits.data(), std::to_chars(digits.data(), digits.data() + digits.size(), number,
                                          std::chars_format::fixed, decimals)
                                .ptr);
}

void append_time(std::string& out, const StatisticsReport& report) {
  append(out, static_cast<double>(report.ended) / 1e9, time_digits);
}

// `each` is called with the place of every counter that was listened for.
void for_each_counter(const StatisticsReport& report, std::invocable<std::size_t> auto each) {
  for (std::size_t i = 0; i < counted_events.size(); ++i) {
    if ((counted_events[i] & report.events) != 0) each(i);
  }
}

void append_counts(std::string& out, const Counts& counts, const StatisticsReport& report, bool columns) {
  out += "\"total\":";
  append(out, counts.total);
  out += ",\"per_second\":";
  append(out, rate(counts.total, report), rate_digits);
  if (!columns) return;
  for_each_counter(report, [&](std::size_t i) {
    out += ",\"";
    out += counter_name(i);
    out += "\":";
    append(out, counts.of[i]);
  });
}

void append_titles(std::string& out, const StatisticsReport& report, CsvColumns columns) {
  if (columns.time) out += "time,";
  out += report.rows_are;
  out += ",total";
  if (columns.rate) out += ",per_second";
  if (report.rows_have_columns) {
    for_each_counter(report, [&](std::size_t i) {
      out += ',';
      out += counter_name(i);
    });
  }
  out += '\n';
}

}  // namespace

void append_json(std::string& out, const StatisticsReport& report) {
  out += "{\"time\":";
  append_time(out, report);
  out += ",\"seconds\":";
  append(out, report.seconds, time_digits);
  out += ",\"overflows\":";
  append(out, report.overflows);
  out += ",\"totals\":{";
  append_counts(out, report.totals, report, true);
  out += "},\"rows\":[";
  for (const StatisticsRow& row : report.rows) {
    out += &row == &report.rows.front() ? "{" : ",{";
    text::append_json_bytes(out, report.rows_are, row.name);
    out += ',';
    append_counts(out, row.counts, report, report.rows_have_columns);
    out += '}';
  }
  out += "]}\n";
}

void append_csv(std::string& out, const StatisticsReport& report, CsvColumns columns) {
  if (columns.titles) append_titles(out, report, columns);
  for (const StatisticsRow& row : report.rows) {
    if (columns.time) {
      append_time(out, report);
      out += ',';
    }
    text::append_csv_field(out, row.name);
    out += ',';
    append(out, row.counts.total);
    if (columns.rate) {
      out += ',';
      append(out, rate(row.counts.total, report), rate_digits);
    }
    if (report.rows_have_columns) {
      for_each_counter(report, [&](std::size_t i) {
        out += ',';
        append(out, row.counts.of[i]);
      });
    }
    out += '\n';
  }
}

}  // namespace notify_core
