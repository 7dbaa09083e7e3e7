// SPDX-License-Identifier: GPL-2.0-or-later
#include "inotifywatch/report.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace notify_core;
using namespace notify_tools::inotifywatch;

namespace {

StatisticsRow row(std::string name, std::uint64_t opened, std::uint64_t created = 0) {
  StatisticsRow result{std::move(name), {}};
  for (std::uint64_t i = 0; i < opened; ++i) result.counts.add(mask::open);
  for (std::uint64_t i = 0; i < created; ++i) result.counts.add(mask::create);
  return result;
}

std::string table(std::vector<StatisticsRow> rows, const Options& options, double seconds = 0) {
  StatisticsReport report = make_report(std::move(rows), options);
  report.seconds = seconds;
  std::string out;
  append_table(out, report, options);
  return out;
}

}  // namespace

TEST_CASE("columns are as wide as their names, of events that occurred") {
  CHECK(table({row("d/", 1), row("e/", 10, 3)}, {}) ==
        "total  open  create  filename\n"
        "13     10    3       e/\n"
        "1      1     0       d/\n");
}

TEST_CASE("a long number pushes its row to the right") {
  CHECK(table({row("d/", 123456)}, {}) == "total  open  filename\n123456  123456  d/\n");
}

TEST_CASE("nothing counted, nothing shown, -z or not") {
  Options options;
  CHECK(table({}, options).empty());
  options.zero = true;
  CHECK(table({row("d/", 0)}, options).empty());
}

TEST_CASE("-z shows the columns that were asked for") {
  Options options;
  options.zero = true;
  options.events = mask::open | mask::move | mask::unmount | mask::q_overflow;
  CHECK(table({row("d/", 1), row("e/", 0)}, options) ==
        "total  open  moved_from  moved_to  unmount  filename\n"
        "1      1     0           0         0        d/\n"
        "0      0     0           0         0        e/\n");
}

TEST_CASE("a record without a column is in the total") {
  Options options;
  options.events = mask::create;
  StatisticsRow only{"f", {}};
  only.counts.add(mask::ignored);
  CHECK(table({only}, options) == "total  filename\n1      f\n");
}

TEST_CASE("--top cuts after sorting") {
  Options options;
  options.top = 1;
  options.sort = {mask::open, true};
  CHECK(table({row("d/", 2), row("e/", 1, 5)}, options) ==
        "total  open  create  filename\n6      1     5       e/\n");
}

TEST_CASE("--by directory") {
  Options options;
  options.by = By::directory;
  CHECK(table({row("d/a", 2), row("d/b", 1), row("e/", 1)}, options) ==
        "total  open  directory\n3      3     d/\n1      1     e/\n");
}

TEST_CASE("--by event") {
  Options options;
  options.by = By::event;
  options.sort = {mask::open, true};  // there is but one number to sort by
  CHECK(table({row("d/", 3, 1), row("e/", 4)}, options) == "total  event\n1      create\n7      open\n");
  options.zero = true;
  options.events = mask::open | mask::modify;
  CHECK(table({row("d/", 3)}, options) == "total  event\n0      modify\n3      open\n");
}

TEST_CASE("--rates") {
  Options options;
  options.rates = true;
  CHECK(table({row("d/", 5)}, options, 2.0) ==
        "total  per_second  open  filename\n5      2.5         5     d/\n");
}

TEST_CASE("the line of a period") {
  StatisticsReport report;
  report.seconds = 0.5;
  report.totals.total = 12;
  std::string out;
  append_period(out, report);
  CHECK(out.ends_with("  0.500 s  12 events  24.0/s\n"));
}
