// SPDX-License-Identifier: GPL-2.0-or-later
#include "watch/move_pairing.hpp"

#include <doctest/doctest.h>

using notify_core::watch::Move;
using notify_core::watch::MovePairing;

TEST_CASE("halves are paired by cookie, the end is found by the place left") {
  MovePairing moves;
  moves.add_from({7, 1, "a", true, false, notify_core::watch::no_node, {}});
  moves.add_from({8, 1, "b", true, false, notify_core::watch::no_node, {}});
  REQUIRE(moves.by_cookie(7) != nullptr);
  moves.by_cookie(7)->to_parent = 2;
  moves.by_cookie(7)->to_name = "c";
  CHECK(moves.by_cookie(9) == nullptr);
  CHECK(moves.by_place(1, "x") == nullptr);
  const Move move = moves.take(moves.by_place(1, "a"));
  CHECK(move.to_name == "c");
  CHECK(moves.by_place(1, "a") == nullptr);
  CHECK(moves.by_place(1, "b") != nullptr);
}

TEST_CASE("of two directories that left one place, the last is meant") {
  MovePairing moves;
  moves.add_from({7, 1, "a", true, false, notify_core::watch::no_node, {}});
  moves.add_from({9, 1, "a", true, false, notify_core::watch::no_node, {}});
  CHECK(moves.by_place(1, "a")->cookie == 9);
}

TEST_CASE("only a move with a partner can stay unconfirmed") {
  MovePairing moves;
  Move out;
  moves.add_from({7, 1, "a", true, false, notify_core::watch::no_node, {}});
  CHECK_FALSE(moves.take_unconfirmed(out));
  moves.by_cookie(7)->to_parent = 3;
  CHECK(moves.take_unconfirmed(out));
  CHECK(out.cookie == 7);
  CHECK(moves.empty());
}

TEST_CASE("moves whose partner never comes do not pile up") {
  MovePairing moves;
  for (unsigned i = 1; i <= 1000; ++i) {
    moves.add_from({i, 1, "a", false, false, notify_core::watch::no_node, {}});
  }
  CHECK(moves.by_cookie(1) == nullptr);
  CHECK(moves.by_cookie(1000) != nullptr);
}

TEST_CASE("moves from a place that is taken again can be had, oldest first") {
  MovePairing moves;
  Move out;
  moves.add_from({7, 1, "a", true, false, notify_core::watch::no_node, {}});
  moves.add_from({8, 1, "b", true, false, notify_core::watch::no_node, {}});
  moves.add_from({9, 1, "a", true, false, notify_core::watch::no_node, {}});
  CHECK(moves.take_from(1, "a", out));
  CHECK(out.cookie == 7);
  CHECK(moves.take_from(1, "a", out));
  CHECK(out.cookie == 9);
  CHECK_FALSE(moves.take_from(1, "a", out));
  CHECK_FALSE(moves.empty());
}
