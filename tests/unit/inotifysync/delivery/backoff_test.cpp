// SPDX-License-Identifier: GPL-2.0-or-later
#include "inotifysync/delivery/backoff.hpp"

#include <doctest/doctest.h>

using namespace inotifysync;
using namespace std::chrono_literals;

TEST_CASE("a young outage is tried often, an old one seldom") {
  Backoff backoff;
  CHECK(backoff.next(Backoff::Trouble::passing, 0ms, 0) == 100ms);
  CHECK(backoff.next(Backoff::Trouble::passing, 100ms, 0) == 200ms);
  CHECK(backoff.next(Backoff::Trouble::passing, 300ms, 0) == 400ms);
  for (int i = 0; i < 100; ++i) CHECK(backoff.next(Backoff::Trouble::passing, 60s, 0) <= 1500ms);
  CHECK(backoff.next(Backoff::Trouble::passing, 20min, 0) == 30s);
  CHECK(backoff.next(Backoff::Trouble::passing, 24h, 0) == 60s);
  CHECK(backoff.next(Backoff::Trouble::held, 24h, 0) == 10min);
}

TEST_CASE("a full target and a file that fails are tried again sooner than a refusal, and for ever") {
  for (const auto trouble : {Backoff::Trouble::full, Backoff::Trouble::partial}) {
    Backoff backoff;
    CHECK(backoff.next(trouble, 0ms, 0) <= 500ms);
    CHECK(backoff.next(trouble, 24h, 0) == 60s);
  }
}

TEST_CASE("jitter takes up to a fifth off, and success begins anew") {
  Backoff backoff;
  for (int i = 0; i < 10; ++i) backoff.next(Backoff::Trouble::passing, 0ms, 0);
  CHECK(backoff.next(Backoff::Trouble::passing, 24h, 0.5) == 54s);
  CHECK(backoff.next(Backoff::Trouble::passing, 24h, 1.0) == 48s);
  CHECK(backoff.failures() == 12);
  backoff.reset();
  CHECK(backoff.next(Backoff::Trouble::passing, 0ms, 0) == 100ms);
}
