// SPDX-License-Identifier: GPL-2.0-or-later
#include "watch/denied.hpp"

#include <doctest/doctest.h>

using namespace notify_core;
using watch::Denied;
using watch::ScanKind;

TEST_CASE("a name that may not be watched is said once, and forgotten with the directory it stands in") {
  Denied denied;
  CHECK(denied.empty());
  CHECK(denied.add_name(7, "d", ScanKind::birth));
  CHECK_FALSE(denied.add_name(7, "d", ScanKind::arrival));
  REQUIRE(denied.find_name(7, "d") != nullptr);
  CHECK(*denied.find_name(7, "d") == ScanKind::birth);
  CHECK(denied.find_name(7, "e") == nullptr);
  CHECK(denied.find_name(8, "d") == nullptr);
  denied.erase_name(7, "d");
  CHECK(denied.empty());
  denied.add_name(7, "e", ScanKind::arrival);
  denied.erase(7);
  CHECK(denied.empty());
}

TEST_CASE("who waits for rights is found by the one who lacks them") {
  Denied denied;
  CHECK(denied.add(20, ScanKind::again, 10));
  CHECK(denied.add(21, ScanKind::arrival, 10));
  CHECK(denied.add(22, ScanKind::birth, 22));
  CHECK(denied.blocks(10));
  CHECK_FALSE(denied.blocks(20));
  CHECK(denied.waits_for_birth());
  CHECK(denied.waiting().size() == 3);
  const Denied::Kinds let_in = denied.take_blocked(10);
  CHECK(let_in.size() == 2);
  CHECK(let_in.at(20) == ScanKind::again);
  CHECK(denied.take_blocked(10).empty());
  denied.erase(22);
  CHECK_FALSE(denied.blocks(22));
  CHECK(denied.empty());
}

TEST_CASE("another one may lack the rights by now, and what is asked most counts") {
  Denied denied;
  CHECK(denied.add(20, ScanKind::again, 10));
  CHECK_FALSE(denied.add(20, ScanKind::arrival, 11));
  CHECK_FALSE(denied.blocks(10));
  CHECK(denied.take(20) == ScanKind::again);
  CHECK(denied.empty());
  CHECK_FALSE(denied.add(20, ScanKind::arrival, 10));  // that has been said
  denied.settled(20);
  CHECK(denied.add(20, ScanKind::arrival, 10));
}

TEST_CASE("which watches were asked to tell of rights") {
  Denied denied;
  CHECK_FALSE(denied.is_telling(7));
  denied.set_telling(7);
  CHECK(denied.is_telling(7));
  denied.erase(7);
  CHECK_FALSE(denied.is_telling(7));
}
