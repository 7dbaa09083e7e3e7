// SPDX-License-Identifier: GPL-2.0-or-later
#include "watch/move_pairing.hpp"

#include <doctest/doctest.h>

#include <utility>

using notify_core::watch::Move;
using notify_core::watch::MovePairing;

namespace {

// A directory of watch 5, or unwatched, left this place.
Move left(unsigned cookie, notify_core::watch::NodeId parent, const char* name, int watch = 5) {
  Move move;
  move.cookie = cookie;
  move.from_parent = parent;
  move.from_name = name;
  move.watch = watch;
  return move;
}

}  // namespace

TEST_CASE("halves are paired by cookie, the end is found by the place left") {
  MovePairing moves;
  moves.add_from(left(7, 1, "a", 5));
  moves.add_from(left(8, 1, "b", 5));
  REQUIRE(moves.by_cookie(7) != nullptr);
  moves.by_cookie(7)->to_parent = 2;
  moves.by_cookie(7)->to_name = "c";
  CHECK(moves.by_cookie(9) == nullptr);
  CHECK(moves.of(5, 1, "x") == nullptr);
  const Move move = moves.take(moves.of(5, 1, "a"));
  CHECK(move.to_name == "c");
  CHECK(moves.of(5, 1, "a") == nullptr);
  CHECK(moves.of(5, 1, "b") != nullptr);
}

TEST_CASE("of two directories that left one place, the last is meant") {
  MovePairing moves;
  moves.add_from(left(7, 1, "a", 5));
  moves.add_from(left(9, 1, "a", 5));
  CHECK(moves.of(5, 1, "a")->cookie == 9);
}

TEST_CASE("a directory that is known is found wherever it was put since") {
  MovePairing moves;
  Move move = left(7, 1, "a");
  move.certain = true;
  moves.add_from(std::move(move));
  CHECK(moves.of(5, 2, "b") != nullptr);
  CHECK(moves.of(6, 1, "a") == nullptr);
}

TEST_CASE("a move that was looked at is kept for its MOVE_SELF") {
  MovePairing moves;
  moves.add_from(left(7, 1, "a"));
  REQUIRE(moves.unconfirmed() != nullptr);
  moves.by_cookie(7)->to_parent = 3;
  REQUIRE(moves.unconfirmed() != nullptr);
  moves.unconfirmed()->looked_at = true;
  CHECK(moves.unconfirmed() == nullptr);
  CHECK(moves.of(5, 1, "a") != nullptr);
}

TEST_CASE("what is certain need not be looked at") {
  MovePairing moves;
  Move move = left(7, 1, "a");
  move.certain = true;
  move.to_parent = 3;
  moves.add_from(std::move(move));
  CHECK(moves.unconfirmed() == nullptr);
}

TEST_CASE("moves whose partner never comes do not pile up") {
  MovePairing moves;
  for (unsigned i = 1; i <= 1000; ++i) {
    moves.add_from(left(i, 1, "a", -1));
  }
  CHECK(moves.by_cookie(1) == nullptr);
  CHECK(moves.by_cookie(1000) != nullptr);
}

TEST_CASE("moves from a place that is taken again can be had, oldest first") {
  MovePairing moves;
  Move out;
  moves.add_from(left(7, 1, "a", 5));
  moves.add_from(left(8, 1, "b", 5));
  moves.add_from(left(9, 1, "a", 5));
  CHECK(moves.take_from(1, "a", out));
  CHECK(out.cookie == 7);
  CHECK(moves.take_from(1, "a", out));
  CHECK(out.cookie == 9);
  CHECK_FALSE(moves.take_from(1, "a", out));
  CHECK_FALSE(moves.empty());
}

TEST_CASE("what left a directory for another place in the tree is there though the directory is gone") {
  MovePairing moves;
  moves.add_from(left(7, 1, "a", 5));
  moves.by_cookie(7)->to_parent = 2;
  moves.add_from(left(8, 1, "b", 6));
  moves.forget(1);
  CHECK(moves.by_cookie(8) == nullptr);
  REQUIRE(moves.unconfirmed() != nullptr);
  Move out;
  CHECK_FALSE(moves.take_from(1, "a", out));
  moves.forget(2);
  CHECK(moves.empty());
}
