// SPDX-License-Identifier: GPL-2.0-or-later
#include <doctest/doctest.h>

#include <string>

#include "notify_core/statistics.hpp"

using namespace notify_core;

namespace {

StatisticsReport report_of_two() {
  StatisticsReport report;
  report.events = mask::open | mask::create;
  report.seconds = 2;
  report.ended = 1'700'000'000'250'000'000;
  report.rows.resize(2);
  report.rows[0].name = "d/";
  report.rows[0].counts.add(mask::open);
  report.rows[0].counts.add(mask::create);
  report.rows[0].counts.add(mask::ignored);
  report.rows[1].name = "a, \"b\"\n";
  report.rows[1].counts.add(mask::open);
  report.totals = sum(report.rows);
  return report;
}

std::string json(const StatisticsReport& report) {
  std::string out;
  append_json(out, report);
  return out;
}

std::string csv(const StatisticsReport& report, CsvColumns columns) {
  std::string out;
  append_csv(out, report, columns);
  return out;
}

}  // namespace

TEST_CASE("JSON says everything in one line") {
  CHECK(json(report_of_two()) == R"({"time":1700000000.250000,"seconds":2.000000,"overflows":0,)"
                                 R"("totals":{"total":4,"per_second":2.000,"open":2,"create":1},"rows":[)"
                                 R"({"path":"d/","total":3,"per_second":1.500,"open":1,"create":1},)"
                                 R"({"path":"a, \"b\"\n","total":1,"per_second":0.500,"open":1,"create":0}]})"
                                 "\n");
}

TEST_CASE("JSON of nothing is whole, too") {
  StatisticsReport report;
  report.events = mask::open;
  report.overflows = 3;
  CHECK(
      json(report) ==
      R"({"time":0.000000,"seconds":0.000000,"overflows":3,"totals":{"total":0,"per_second":0.000,"open":0},)"
      "\"rows\":[]}\n");
}

TEST_CASE("names that are not UTF-8 lose nothing") {
  StatisticsReport report;
  report.events = mask::open;
  report.rows = {{"\xff/", {}}};
  CHECK(json(report).find("\"path\":\"\xEF\xBF\xBD/\",\"path_base64\":\"/y8=\"") != std::string::npos);
}

TEST_CASE("rows of events have a total only") {
  StatisticsReport report = report_of_two();
  report.rows = group_by_event(report.rows, report.events);
  report.rows_are = "event";
  report.rows_have_columns = false;
  CHECK(json(report).ends_with(R"("rows":[{"event":"open","total":2,"per_second":1.000},)"
                               R"({"event":"create","total":1,"per_second":0.500}]})"
                               "\n"));
  CHECK(csv(report, {}) == "event,total\nopen,2\ncreate,1\n");
}

TEST_CASE("CSV has the same columns in every line") {
  CHECK(csv(report_of_two(), {}) == "path,total,open,create\nd/,3,1,1\n\"a, \"\"b\"\"\n\",1,1,0\n");
  CHECK(csv(report_of_two(), {.titles = false, .time = true, .rate = true}) ==
        "1700000000.250000,d/,3,1.500,1,1\n1700000000.250000,\"a, \"\"b\"\"\n\",1,0.500,1,0\n");
  CHECK(
      csv({}, {.time = true, .rate = true}).starts_with("time,path,total,per_second,access,modify,attrib,"));
}
