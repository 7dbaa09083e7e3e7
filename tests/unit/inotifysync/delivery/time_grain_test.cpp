// SPDX-License-Identifier: GPL-2.0-or-later
#include "inotifysync/delivery/time_grain.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using inotifysync::Outcome;
using inotifysync::TimeGrain;

namespace {

std::vector<Outcome::Sent> files(int count, bool time_alone) {
  std::vector<Outcome::Sent> sent;
  for (int i = 0; i < count; ++i) sent.push_back({"f" + std::to_string(i), time_alone});
  return sent;
}

std::uint64_t at_one(std::string_view) {
  return 1'000'000'001;
}
std::uint64_t at_two(std::string_view) {
  return 2'000'000'002;
}

}  // namespace

TEST_CASE(
    "a target that is sent the same files again for their times is compared less exactly, step by step") {
  TimeGrain grain;
  CHECK(grain.window() == -1);
  grain.full_pass(files(20, false), at_one);
  CHECK(grain.window() == -1);
  grain.full_pass(files(20, true), at_one);
  CHECK(grain.window() == 0);
  grain.full_pass(files(20, true), at_one);
  CHECK(grain.window() == 1);
  grain.full_pass(files(20, true), at_one);
  CHECK(grain.window() == 1);
}

TEST_CASE("a target that is sent nothing again is compared to the nanosecond") {
  TimeGrain grain;
  grain.full_pass(files(20, false), at_one);
  grain.full_pass({}, at_one);
  grain.full_pass(files(20, true), at_one);  // somebody has changed their times there
  CHECK(grain.window() == -1);
}

TEST_CASE("files that have changed in the source, or in more than their times, say nothing of the target") {
  TimeGrain grain;
  grain.full_pass(files(20, true), at_one);
  grain.full_pass(files(20, true), at_two);
  grain.full_pass(files(20, false), at_two);
  CHECK(grain.window() == -1);
}

TEST_CASE("a few files that somebody touches at the target each time say nothing") {
  TimeGrain grain;
  grain.full_pass(files(7, true), at_one);
  grain.full_pass(files(7, true), at_one);
  CHECK(grain.window() == -1);
  grain.full_pass(files(20, true), at_one);
  grain.full_pass(files(8, true), at_one);
  CHECK(grain.window() == -1);
}
