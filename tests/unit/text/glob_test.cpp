// SPDX-License-Identifier: GPL-2.0-or-later
#include "text/glob.hpp"

#include <doctest/doctest.h>

#include "notify_core/filter.hpp"

using notify_core::Filter;

namespace {

bool matches(std::string_view glob, std::string_view path) {
  const auto filter = Filter::create({{std::string(glob), Filter::Shows::matching, false, true}});
  REQUIRE(filter.has_value());
  return filter->shows(path, {});
}

Filter excluding(std::string_view glob) {
  auto filter = Filter::create({{std::string(glob), Filter::Shows::not_matching, false, true}});
  REQUIRE(filter.has_value());
  return std::move(filter).value();
}

}  // namespace

TEST_CASE("a glob matches whole components, wherever they are, and all below them") {
  CHECK(matches("*.o", "d/a.o"));
  CHECK(matches("*.o", "./a.o"));
  CHECK(matches("build", "d/build/x/y"));
  CHECK(matches("build", "build"));
  CHECK(matches("build/", "d/build/x/y"));
  CHECK(matches("build/", "d/build/"));
  CHECK_FALSE(matches("*.o", "d/a.out"));
  CHECK_FALSE(matches("build", "d/rebuild/x"));
  CHECK_FALSE(matches("build", "d/builds"));
}

TEST_CASE("wildcards stop at a slash, two stars do not") {
  CHECK(matches("src/*.c", "./src/a.c"));
  CHECK_FALSE(matches("src/*.c", "src/lib/a.c"));
  CHECK(matches("src/**.c", "src/lib/a.c"));
  CHECK(matches("src/**/a.c", "src/a.c"));
  CHECK(matches("src/**/a.c", "src/x/y/a.c"));
  CHECK_FALSE(matches("src/**/a.c", "src/xa.c"));
  CHECK(matches("a?c", "abc"));
  CHECK_FALSE(matches("a?c", "a/c"));
}

TEST_CASE("brackets and escapes") {
  CHECK(matches("[a-c].txt", "b.txt"));
  CHECK_FALSE(matches("[!a-c].txt", "b.txt"));
  CHECK(matches("[!a-c].txt", "x.txt"));
  CHECK_FALSE(matches("a[!b]c", "a/c"));
  CHECK(matches("[]]x", "]x"));
  CHECK_FALSE(matches("[!]]x", "]x"));
  CHECK(matches("\\*", "*"));
  CHECK_FALSE(matches("\\*", "x"));
  CHECK(matches("a.(b)+{1}^$|c", "a.(b)+{1}^$|c"));
  CHECK(matches("a\\", "a\\"));
  CHECK_FALSE(Filter::create({{"[a", Filter::Shows::matching, false, true}}).has_value());
}

TEST_CASE("an excluded directory need not be watched") {
  CHECK(excluding("build").hides_all_below("d/build/"));
  CHECK(excluding("*").hides_all_below("d/"));
  CHECK_FALSE(excluding("build").hides_all_below("d/builds/"));
  CHECK_FALSE(excluding("/build").hides_all_below("d/build/"));
  CHECK_FALSE(excluding("?/build").hides_all_below("d/x/build/"));
  CHECK_FALSE(excluding("x/build").hides_all_below("d/x/build/"));
  CHECK_FALSE(excluding("build/**").hides_all_below("d/build/"));
}

TEST_CASE("several patterns: none may hide, one must show") {
  const auto filter = Filter::create({{"\\.c$", Filter::Shows::matching, false, false},
                                      {"*.h", Filter::Shows::matching, false, true},
                                      {"gen", Filter::Shows::not_matching, true, true}});
  REQUIRE(filter.has_value());
  CHECK(filter->shows("src/", "a.c"));
  CHECK(filter->shows("src/", "a.h"));
  CHECK_FALSE(filter->shows("src/", "a.o"));
  CHECK_FALSE(filter->shows("src/Gen/", "a.c"));
  CHECK(filter->hides_all_below("src/gen/"));
  CHECK_FALSE(filter->hides_all_below("src/"));
}
