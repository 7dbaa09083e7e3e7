// SPDX-License-Identifier: GPL-2.0-or-later
#include "inotifysync/delivery/pace.hpp"

#include <doctest/doctest.h>

using inotifysync::Pace;
using namespace std::chrono_literals;

TEST_CASE("a few runs in a row start at once, a steady stream ten times a second") {
  Pace pace;
  Pace::Time now{1h};
  int started = 0;
  for (const auto end = now + 10s; now < end; now += 1ms) {
    if (pace.wait(now) > 0s) continue;
    pace.started(now);
    if (++started == 5) CHECK(now < Pace::Time{1h} + 10ms);
  }
  CHECK(started >= 104);
  CHECK(started <= 107);
}

TEST_CASE("after a rest, or with a tenth of a second between them, runs start at once") {
  Pace pace;
  Pace::Time now{1h};
  for (int i = 0; i < 100; ++i, now += 100ms) {
    CHECK(pace.wait(now) == 0s);
    pace.started(now);
  }
}
