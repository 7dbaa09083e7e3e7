// SPDX-License-Identifier: GPL-2.0-or-later
// A target whose rsync stands still.
#include "worker_fixture.hpp"

using namespace worker_fixture;

TEST_CASE("a hung run is ended when nothing moves, not before") {
  WorkerOptions options;
  options.timeout = 8s;
  Fixture f(options);
  f.change("a");
  for (int i = 0; i < 10; ++i) {
    *f.child().moved += 100;
    f.time.pass(6s);
    REQUIRE_FALSE(f.child().told_to_end);
  }
  f.time.pass(12s);
  CHECK(f.child().told_to_end);
  f.child().exit(20);
  REQUIRE(f.troubles.size() == 1);
  CHECK(f.troubles[0].find("no byte moved for 8 s") != std::string::npos);
  CHECK(f.worker->queue_length() == 1);
}

TEST_CASE("a run that stands still leaves its place to others, and leaves it once") {
  WorkerOptions options;
  options.timeout = 1000s;
  Fixture f(options);
  f.worker->want_full_pass();
  for (const auto time : {1s, 1s, 15s, 15s, 15s}) {
    *f.child().moved += 100;
    f.time.pass(time);
  }
  CHECK(f.left_places == 0);
  f.time.pass(60s);
  CHECK(f.left_places == 1);
  CHECK_FALSE(f.child().told_to_end);
  f.child().exit(0);
  CHECK(f.full_passes == 1);
  CHECK(f.left_places == 1);
}

TEST_CASE("a run that does not get anywhere at all leaves its place after two seconds") {
  WorkerOptions options;
  options.timeout = 1000s;
  Fixture f(options);
  f.worker->want_full_pass();
  f.time.pass(1900ms);
  CHECK(f.left_places == 0);
  f.time.pass(200ms);
  CHECK(f.left_places == 1);
}

TEST_CASE("what a run reads to start is no answer") {
  WorkerOptions options;
  options.timeout = 1000s;
  Fixture f(options);
  f.worker->want_full_pass();
  f.time.pass(100ms);
  *f.child().moved += 5000;
  f.time.pass(1800ms);
  CHECK(f.left_places == 0);
  f.time.pass(200ms);
  CHECK(f.left_places == 1);
}

TEST_CASE("where nobody can say whether a run moves, it is not ended") {
  WorkerOptions options;
  options.timeout = 8s;
  Fixture f(options);
  f.change("a");
  f.child().moved.reset();
  f.time.pass(1000s);
  CHECK_FALSE(f.child().told_to_end);
}
