// SPDX-License-Identifier: GPL-2.0-or-later
#include "inotifysync/changes/views.hpp"

#include <doctest/doctest.h>

using namespace inotifysync;

namespace {
ChangeSet one(const char* path) {
  ChangeSet set;
  set.mark(path, dirt::content);
  return set;
}
}  // namespace

TEST_CASE("targets that lack the same share one set") {
  Views views(3);
  CHECK_FALSE(views.lacks(0));
  views.add(one("a"));
  const auto first = views.take(0);
  REQUIRE(first);
  CHECK(first == views.take(1));
  CHECK_FALSE(views.lacks(1));
  CHECK(views.queue_length(2) == 1);
  CHECK(views.take(0) == nullptr);
}

TEST_CASE("a set that was taken does not change when others go on gathering") {
  Views views(3);
  views.add(one("a"));
  const auto taken = views.take(0);
  views.add(one("b"));
  CHECK(taken->size() == 1);
  CHECK(views.queue_length(0) == 1);
  CHECK(views.queue_length(1) == 2);
  CHECK(views.take(1) == views.take(2));  // and those two still share
}

TEST_CASE("what was not delivered is older than what came since") {
  Views views(2);
  views.add(one("a"));
  const auto taken = views.take(0);
  ChangeSet later;
  later.mark("a", dirt::gone);
  views.add(std::move(later));
  views.put_back(0, ChangeSet(*taken));
  const auto again = views.take(0);
  CHECK(again->dirt_of("a") == dirt::gone);
}
