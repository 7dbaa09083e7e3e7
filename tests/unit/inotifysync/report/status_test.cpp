// SPDX-License-Identifier: GPL-2.0-or-later
#include "inotifysync/report/status.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

using namespace inotifysync;

TEST_CASE("a batch in one line") {
  CHECK(batch_line({"web1", 12, 3, 1'200'000, 0.08}) == "web1 12 files, 3 deleted, 1.2 MB in 0.08 s");
  CHECK(batch_line({"web1", 1, 0, 17, 0.004}) == "web1 1 file, 17 B in 0.00 s");
}

TEST_CASE("bytes for people") {
  CHECK(human_bytes(0) == "0 B");
  CHECK(human_bytes(999) == "999 B");
  CHECK(human_bytes(1000) == "1.0 kB");
  CHECK(human_bytes(999'960) == "1.0 MB");
  CHECK(human_bytes(~0ULL) == "18.4 EB");
}

TEST_CASE("any bytes make a valid JSON string") {
  CHECK(json_string("a\"b\\c\n\x01") == "\"a\\\"b\\\\c\\u000a\\u0001\"");
  CHECK(json_string("gr\xc3\xbc\xc3\x9f") == "\"gr\xc3\xbc\xc3\x9f\"");
  CHECK(json_string("\xff\xc3") == "\"\xef\xbf\xbd\xef\xbf\xbd\"");
  CHECK(json_string("\xed\xa0\x80") == "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");  // a surrogate
  CHECK(json_string("\xf0\x9f\x98\x80") == "\"\xf0\x9f\x98\x80\"");
}

TEST_CASE("the status is one object, with nothing for what never happened") {
  Status status;
  status.time = 1700000000;
  status.pid = 7;
  status.version = "5.0.0";
  TargetStatus target;
  target.name = "web1";
  target.operand = "rsync://web1/www";
  target.state = "waiting";
  target.lag_seconds = 1.5;
  target.last_error = "no \"space\"";
  target.next_try_seconds = 2;
  status.sources.push_back({"/srv", "watching", "", 3, 4, 0, {}, {target, target}});
  const std::string one =
      R"({"name":"web1","target":"rsync://web1/www","state":"waiting","up_to_date":false,"lag_seconds":1.500,)"
      R"("queue":0,"last_success":null,"last_error_at":null,"last_error":"no \"space\"","next_try_seconds":2.000,)"
      R"("deletes":false,"runs":0,"failed_runs":0,"files":0,"deleted":0,"bytes":0})";
  const std::string expected = fmt::format(
      R"({{"program":"inotifysync","version":"5.0.0","pid":7,"time":1700000000,"uptime_seconds":0.000,"sources":)"
      R"([{{"path":"/srv","state":"watching","watches":3,"events":4,"overflows":0,"last_audit":null,"targets":[{},{}]}}]}})"
      "\n",
      one, one);
  CHECK(status_json(status) == expected);
}

TEST_CASE("who idles and is not in step says so") {
  TargetStatus target;
  target.state = "idle";
  CHECK(state_line(target).starts_with("idle but not up to date, lag 0.0 s, 0 paths to go"));
  target.up_to_date = true;
  CHECK(state_line(target).starts_with("idle, lag"));
}

TEST_CASE("the progress line tells of every target, as long as a first pass goes on") {
  Status status;
  auto& targets = status.sources.emplace_back().targets;
  const auto add = [&](const char* name, const char* state) -> TargetStatus& {
    targets.emplace_back().name = name;
    targets.back().state = state;
    return targets.back();
  };
  add("web1", "starting").under_way = 12;
  add("web2", "idle").up_to_date = true;
  add("web3", "waiting");
  CHECK(progress_line(status, 80) == "web1 12 files  web2 in step  web3 waiting");
  CHECK(progress_line(status, 10) == "web1 12 fi");
  targets[0].state = "idle";
  CHECK(progress_line(status, 80).empty());
}
