// SPDX-License-Identifier: GPL-2.0-or-later
#include "inotifywatch/pacing.hpp"

#include <doctest/doctest.h>

#include <chrono>

using namespace notify_tools::inotifywatch;
using namespace std::chrono_literals;

namespace {

// Reads for a second, 10 us a read and the rests asked for, where so many events come a millisecond; either
// the kernel merges all that come between two reads, or it merges none. How many reads that took.
int reads_in_a_second(double events_a_millisecond, bool merged) {
  Pacing pacing;
  Pacing::Time now{1h};
  const Pacing::Time end = now + 1s;
  std::chrono::nanoseconds pause = 10us;
  double came = 0;
  int reads = 0;
  while (now < end) {
    now += pause;
    came += std::chrono::duration<double, std::milli>(pause).count() * events_a_millisecond;
    pause = 10us;
    if (came < 1) continue;
    ++reads;
    const auto events = merged ? 1 : static_cast<std::size_t>(came);
    came = 0;
    pause += pacing.rest_after(now, events);
  }
  return reads;
}

}  // namespace

TEST_CASE("events that come alone are counted at once") {
  CHECK(reads_in_a_second(1, false) >= 990);
  CHECK(reads_in_a_second(1, true) >= 990);
  CHECK(reads_in_a_second(20, false) >= 16'000);
}

TEST_CASE("seldom is not busy, however much comes at once") {
  Pacing pacing;
  for (Pacing::Time now{1h}; now < Pacing::Time{2h}; now += 1s)
    REQUIRE(pacing.rest_after(now, 10'000) == 0ns);
}

TEST_CASE("at a high rate a read brings many") {
  CHECK(reads_in_a_second(100, false) <= 300);
  CHECK(reads_in_a_second(1'000, false) <= 1'100);
}

TEST_CASE("no rest where the queue might overflow") {
  CHECK(reads_in_a_second(20'000, false) >= 10'000);
}

TEST_CASE("where equal events merge, there is hardly a rest") {
  CHECK(reads_in_a_second(100, true) >= 95'000);
}
