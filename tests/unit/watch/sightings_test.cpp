// SPDX-License-Identifier: GPL-2.0-or-later
#include "watch/sightings.hpp"

#include <doctest/doctest.h>

using notify_core::watch::Sightings;

TEST_CASE("who was seen several times came to the first place first") {
  Sightings sightings;
  sightings.add(7, {1, "a"});
  sightings.add(7, {1, "a"});
  sightings.add(7, {2, "b"});
  REQUIRE(sightings.first(7) != nullptr);
  CHECK(*sightings.first(7) == Sightings::Place{1, "a"});
  sightings.reached(7, {1, "a"});
  CHECK(*sightings.first(7) == Sightings::Place{2, "b"});
  sightings.reached(7, {2, "b"});
  CHECK(sightings.first(7) == nullptr);
  CHECK(sightings.empty());
}

TEST_CASE("who reached the second place has passed the first; elsewhere it may come to both yet") {
  Sightings sightings;
  sightings.add(7, {1, "a"});
  sightings.add(7, {2, "b"});
  sightings.reached(7, {3, "c"});
  CHECK(*sightings.first(7) == Sightings::Place{1, "a"});
  sightings.reached(7, {2, "b"});
  CHECK_FALSE(sightings.contains(7));
}
