// SPDX-License-Identifier: GPL-2.0-or-later
#include "notify_core/filter.hpp"

#include <doctest/doctest.h>

using notify_core::Filter;

namespace {

Filter exclude(std::string_view pattern, bool ignore_case = false) {
  auto filter = Filter::create(pattern, Filter::Shows::not_matching, ignore_case);
  REQUIRE(filter.has_value());
  return std::move(filter).value();
}

Filter include(std::string_view pattern) {
  auto filter = Filter::create(pattern, Filter::Shows::matching, false);
  REQUIRE(filter.has_value());
  return std::move(filter).value();
}

}  // namespace

TEST_CASE("without a pattern everything is shown") {
  CHECK(Filter().shows("d/", "f"));
  CHECK_FALSE(Filter().hides_all_below("d/"));
}

TEST_CASE("the pattern sees the path as it is printed, anywhere in it") {
  CHECK_FALSE(exclude("^d/f$").shows("d/", "f"));
  CHECK(exclude("^f").shows("d/", "f"));
  CHECK_FALSE(exclude("d/.*b").shows("d/", "ab"));
  CHECK(include("\\.c$").shows("src/", "a.c"));
  CHECK_FALSE(include("\\.c$").shows("src/", "a.h"));
  CHECK_FALSE(exclude("a|b").shows("d/", "xb"));
}

TEST_CASE("bytes, and case where asked") {
  CHECK_FALSE(exclude("caf.$").shows("d/", "caf\xe9"));
  CHECK(exclude("A").shows("d/", "a"));
  CHECK_FALSE(exclude("A", true).shows("d/", "a"));
}

TEST_CASE("a bad pattern is an error that says why") {
  const auto filter = Filter::create("(", Filter::Shows::matching, false);
  REQUIRE_FALSE(filter.has_value());
  CHECK(filter.error().call == "regcomp");
  CHECK(filter.error().path == "(");
  CHECK_FALSE(filter.error().detail.empty());
}

TEST_CASE("a directory hides all below only where a longer path must match too") {
  CHECK(exclude("/\\.git/").hides_all_below("d/.git/"));
  CHECK(exclude("build").hides_all_below("build/"));
  CHECK(exclude("/[^a]/").hides_all_below("d/b/"));
  CHECK_FALSE(exclude("build").hides_all_below("src/"));
  CHECK_FALSE(exclude("build$").hides_all_below("build/"));
  CHECK_FALSE(exclude("build/$").hides_all_below("build/"));
  CHECK_FALSE(exclude("build/\\>").hides_all_below("build/"));
  CHECK_FALSE(exclude("/\\B").hides_all_below("build/"));
  CHECK_FALSE(exclude("/\\'").hides_all_below("build/"));
  CHECK_FALSE(exclude("[\\]/\\B").hides_all_below("\\/"));
  CHECK_FALSE(include("build").hides_all_below("src/"));
  CHECK_FALSE(include("build").hides_all_below("build/"));
}

TEST_CASE("a directory hides all below only where no rename above it can change that") {
  CHECK(exclude("x/build|gen").hides_all_below("d/gen/"));
  CHECK_FALSE(exclude("x/build").hides_all_below("d/x/build/"));
  CHECK_FALSE(exclude("^d/[bx]").hides_all_below("d/b/"));
  CHECK_FALSE(exclude("^/b|d/x/b").hides_all_below("d/x/b/"));
  CHECK_FALSE(exclude("d").hides_all_below("d/x/"));
}
