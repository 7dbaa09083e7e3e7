// SPDX-License-Identifier: GPL-2.0-or-later
#include "watch/move_pairing.hpp"

#include <doctest/doctest.h>

using notify_core::watch::Move;
using notify_core::watch::MovePairing;

namespace {

// A directory of watch 5, or an unwatched one, left its place.
Move left(unsigned cookie, int watch = 5) {
  Move move;
  move.cookie = cookie;
  move.watch = watch;
  return move;
}

}  // namespace

TEST_CASE("halves are paired by cookie, the end is found by the watch") {
  MovePairing moves;
  moves.add_from(left(7, 5));
  moves.add_from(left(8, 6));
  REQUIRE(moves.by_cookie(7) != nullptr);
  moves.by_cookie(7)->to_parent = 2;
  moves.by_cookie(7)->to_name = "c";
  CHECK(moves.by_cookie(9) == nullptr);
  CHECK(moves.of(9) == nullptr);
  const Move move = moves.take(moves.of(5));
  CHECK(move.to_name == "c");
  CHECK(moves.of(5) == nullptr);
  CHECK(moves.of(6) != nullptr);
}

TEST_CASE("of two moves of one directory, the last is meant") {
  MovePairing moves;
  moves.add_from(left(7));
  moves.add_from(left(9));
  CHECK(moves.of(5)->cookie == 9);
}

TEST_CASE("moves whose partner never comes do not pile up") {
  MovePairing moves;
  for (unsigned i = 1; i <= 1000; ++i) moves.add_from(left(i, -1));
  CHECK(moves.by_cookie(1) == nullptr);
  CHECK(moves.by_cookie(1000) != nullptr);
}

TEST_CASE("nothing arrives in a directory that is gone") {
  MovePairing moves;
  moves.add_from(left(7, 5));
  moves.by_cookie(7)->to_parent = 2;
  moves.add_from(left(8, 6));
  moves.forget(2);
  CHECK(moves.by_cookie(7) == nullptr);
  CHECK(moves.by_cookie(8) != nullptr);
}
