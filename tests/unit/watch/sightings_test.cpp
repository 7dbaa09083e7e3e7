// SPDX-License-Identifier: GPL-2.0-or-later
#include "watch/sightings.hpp"

#include <doctest/doctest.h>

using notify_core::watch::Sightings;

TEST_CASE("who was seen several times is where it was seen last") {
  Sightings sightings;
  sightings.add(7, {1, "a"});
  sightings.add(7, {1, "a"});
  sightings.add(7, {2, "b"});
  REQUIRE(sightings.last(7) != nullptr);
  CHECK(*sightings.last(7) == Sightings::Place{2, "b"});
  CHECK(sightings.all(7).size() == 2);
  sightings.reached(7, {1, "a"});
  CHECK(*sightings.last(7) == Sightings::Place{2, "b"});
  sightings.reached(7, {2, "b"});
  CHECK(sightings.last(7) == nullptr);
  CHECK(sightings.all(7).empty());
  CHECK(sightings.empty());
}

TEST_CASE("who reached the second place has passed the first; elsewhere it may come to both yet") {
  Sightings sightings;
  sightings.add(7, {1, "a"});
  sightings.add(7, {2, "b"});
  sightings.reached(7, {3, "c"});
  CHECK(sightings.all(7).size() == 2);
  sightings.reached(7, {2, "b"});
  CHECK_FALSE(sightings.contains(7));
}
