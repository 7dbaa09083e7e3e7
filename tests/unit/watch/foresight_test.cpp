// SPDX-License-Identifier: GPL-2.0-or-later
#include "watch/foresight.hpp"

#include <doctest/doctest.h>

#include <functional>
#include <optional>
#include <vector>

namespace {

using namespace notify_core;
using namespace notify_core::watch;
using backend::Record;

Record record(int watch, EventMask mask, std::uint32_t cookie, const char* name) {
  Record made;
  made.watch = watch;
  made.mask = mask | (mask & mask::move ? mask::is_directory : 0);
  made.cookie = cookie;
  made.name = name;
  return made;
}
Record from(int watch, std::uint32_t cookie, const char* name) {
  return record(watch, mask::moved_from, cookie, name);
}
Record to(int watch, std::uint32_t cookie, const char* name) {
  return record(watch, mask::moved_to, cookie, name);
}
Record self(int watch) {
  return record(watch, mask::move_self, 0, "");
}

Unread unread(std::vector<Record> records) {
  return [records](const std::function<bool(const Record&)>& visit) {
    for (const Record& one : records) {
      if (!visit(one)) return;
    }
  };
}

// Of a rename out of the directory of watch 1, with cookie 7; where it was, 5 or 6 may stand.
std::optional<int> who(std::vector<Record> records) {
  return who_moved(unread(std::move(records)), 1, 7, [](int watch) { return watch == 5 || watch == 6; });
}

bool known(int watch) {
  return watch >= 0 && watch < 10;
}

Course follow_5(std::vector<Record> records, std::vector<Sightings::Place> seen) {
  static std::vector<Step> steps;
  steps = steps_of(unread(std::move(records)), 5);
  return follow(steps, std::move(seen), known);
}

}  // namespace

TEST_CASE("what left its place says so, before anything else is said there") {
  CHECK(who({self(5)}) == 5);
  CHECK(who({to(1, 7, "b"), self(6)}) == 6);
  CHECK(who({to(2, 7, "b"), from(3, 8, "x"), self(9), self(5)}) == 5);
  CHECK(who({to(2, 7, "b"), record(1, mask::create, 0, "new"), self(5)}) == backend::unwatched);
  CHECK(who({to(1, 8, "a"), self(5)}) == backend::unwatched);
  CHECK(who({record(1, mask::ignored, 0, "")}) == backend::unwatched);
}

TEST_CASE("while nothing more is said of the place, it is not known yet who left it") {
  CHECK(who({}) == std::nullopt);
  CHECK(who({to(2, 7, "b"), record(1, mask::modify, 0, "file"), self(9)}) == std::nullopt);
}

TEST_CASE("a step has the places that are told before its MOVE_SELF") {
  const auto steps = steps_of(unread({from(1, 7, "a"), to(2, 7, "b"), self(5), self(5), from(2, 8, "b"),
                                      self(6), from(2, 9, "c"), to(3, 10, "d"), self(5)}),
                              5);
  REQUIRE(steps.size() == 3);
  CHECK(steps[0].from == Sightings::Place{1, "a"});
  CHECK(steps[0].to == Sightings::Place{2, "b"});
  CHECK(steps[1].from == Sightings::Place{});
  CHECK(steps[1].to == Sightings::Place{});
  CHECK(steps[2].from == Sightings::Place{});
  CHECK(steps[2].to == Sightings::Place{3, "d"});
}

TEST_CASE("where a directory is, and whether the end of its way is told") {
  Course course = follow_5({from(1, 7, "a"), to(2, 7, "b"), self(5)}, {{1, "a"}});
  REQUIRE(course.start != nullptr);
  CHECK(*course.start == Sightings::Place{1, "a"});
  CHECK(course.told);
  course = follow_5({to(2, 7, "b"), self(5)}, {{2, "b"}});
  CHECK(course.start == nullptr);
  CHECK(course.told);
  course = follow_5({to(2, 7, "b"), self(5), self(5)}, {{2, "b"}});
  CHECK_FALSE(course.told);
  CHECK_FALSE(follow_5({}, {{1, "a"}}).told);
}

TEST_CASE("a step between places where it was never seen is another one's") {
  const Course course = follow_5({from(1, 7, "x"), to(2, 7, "y"), self(5)}, {{1, "a"}});
  CHECK(course.start == nullptr);
  CHECK_FALSE(course.told);
}

TEST_CASE("what arrives in a directory that nobody knows is not told of") {
  CHECK_FALSE(follow_5({from(1, 7, "a"), to(20, 7, "b"), self(5)}, {{1, "a"}}).told);
}

TEST_CASE("what left the tree comes back by the rename before its next MOVE_SELF") {
  const auto back_by = [](std::vector<Record> records) {
    return comes_back_by(unread(std::move(records)), 5, [](int watch) { return watch == 5 || watch == 6; });
  };
  CHECK(back_by({to(1, 9, "d"), self(5)}) == 9);
  CHECK(back_by({record(2, mask::create, 0, "f"), to(1, 9, "d"), record(1, mask::create, 0, "f"), self(5)}) ==
        9);
  CHECK(back_by({to(1, 9, "d"), self(5), record(6, mask::create, 0, "f")}) == 9);
  CHECK(back_by({to(1, 8, "e"), self(7), to(1, 9, "d"), self(5)}) == 9);
  CHECK(back_by({}) == 0);
  CHECK(back_by({to(1, 9, "d")}) == 0);
  CHECK(back_by({self(5)}) == 0);
  CHECK(back_by({from(1, 8, "e"), to(1, 8, "g"), self(5)}) == 0);
  CHECK(back_by({to(1, 8, "e"), self(7), self(5)}) == 0);
  CHECK(back_by({record(6, mask::create, 0, "f"), to(1, 9, "d"), self(5)}) == 9);
  CHECK(back_by({record(6, mask::create | mask::is_directory, 0, "e"), to(1, 9, "d"), self(5)}) == 0);
}
