// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/limits.hpp"

#include <doctest/doctest.h>

using namespace notify_tools;

TEST_CASE("watches are counted by their lines") {
  CHECK(watches_in("pos:\t0\nflags:\t02000000\nmnt_id:\t15\nino:\t58\n") == 0);
  CHECK(watches_in("pos:\t0\ninotify wd:2 ino:1 sdev:2 mask:fff\ninotify wd:1 ino:3 sdev:2 mask:fff\n") == 2);
}

TEST_CASE("a person is told who uses how much, the most first") {
  const auto lines =
      explain(Limit::watches, 100, {{"small", 1, 1, 3}, {"none", 2, 1, 0}, {"large", 3, 2, 97}});
  REQUIRE(lines.size() == 5);
  CHECK(lines[0] == "Your processes have 100 of 100 watches:");
  CHECK(lines[1] == "        97  large (process 3)");
  CHECK(lines[2] == "         3  small (process 1)");
  CHECK(lines[3].ends_with("sysctl fs.inotify.max_user_watches=200"));
}

TEST_CASE("who may open no more files is told how to get more") {
  CHECK(descriptor_words(64).ends_with("may have 64 open files. Raise that limit:  ulimit -n 1024"));
  CHECK(descriptor_words(1024).ends_with("ulimit -n 2048"));
  CHECK(descriptor_hint().empty());
}

TEST_CASE("instances, and no more than five names") {
  const auto lines = explain(Limit::instances, 8, std::vector<InotifyUse>(9, InotifyUse{"p", 1, 1, 0}));
  CHECK(lines.front() == "Your processes have 9 of 8 instances:");
  CHECK(lines.size() == 8);
}
