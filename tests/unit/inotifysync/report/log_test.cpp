// SPDX-License-Identifier: GPL-2.0-or-later
#include "inotifysync/report/log.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

using namespace inotifysync;
using namespace std::chrono_literals;

TEST_CASE("the same trouble again and again is told ever more rarely") {
  RepeatLimit limit;
  RepeatLimit::Time now{1h};
  int said = 0;
  for (int second = 0; second < 3600; ++second, now += 1s)
    said += limit.worth_saying("web1", "refused", now) ? 1 : 0;
  CHECK(said >= 8);
  CHECK(said <= 11);
  CHECK(limit.worth_saying("web2", "refused", now));
}

TEST_CASE("troubles that take turns fill no log either") {
  RepeatLimit limit;
  RepeatLimit::Time now{1h};
  int said = 0;
  for (int second = 0; second < 3600; ++second, now += 1s) {
    const std::string temporary = fmt::format("mkstemp \"d/.file.{:06}\" (in www) failed: Read-only", second);
    for (const std::string& words :
         {std::string("opendir failed"), temporary, std::string("link_stat failed")})
      said += limit.worth_saying("web1", words, now) ? 1 : 0;
  }
  CHECK(said >= 24);
  CHECK(said <= 33);
}

TEST_CASE("words are words, wherever they have dots") {
  RepeatLimit limit;
  const RepeatLimit::Time now{1h};
  for (const char* words : {"", ".", "a.", ".\"", ".abcdef", ".abcdef\"", ".abc.ef\"", "....... \""})
    CHECK(limit.worth_saying("web1", words, now));
}

TEST_CASE("nor do troubles that are never the same") {
  RepeatLimit limit;
  RepeatLimit::Time now{1h};
  int said = 0;
  for (int second = 0; second < 3600; ++second, now += 1s)
    said += limit.worth_saying("web1", fmt::format("file {} failed", second), now) ? 1 : 0;
  CHECK(said <= 30);
}

TEST_CASE("other trouble, and trouble after a recovery, is told at once") {
  RepeatLimit limit;
  const RepeatLimit::Time now{1h};
  CHECK(limit.worth_saying("web1", "refused", now));
  CHECK_FALSE(limit.worth_saying("web1", "refused", now + 1s));
  CHECK(limit.worth_saying("web1", "timeout", now + 2s));
  limit.forget("web1");
  CHECK(limit.worth_saying("web1", "timeout", now + 3s));
}

TEST_CASE("a log file that cannot be opened is an error with its name") {
  const auto log =
      Log::create({.verbosity = 0, .json = false, .syslog = false, .file = "/no/such/folder/log"});
  REQUIRE_FALSE(log.has_value());
  CHECK(log.error().path == "/no/such/folder/log");
}
