// SPDX-License-Identifier: GPL-2.0-or-later
// A wait that rests in read(2): the descriptor is set to wait, and nothing else may come to wait by that. And
// what such a wait hands on.
#include <doctest/doctest.h>
#include <signal.h>
#include <sys/time.h>

#include <chrono>
#include <ctime>
#include <optional>

#include "watch/watcher_scene.hpp"

namespace {

using namespace watcher_scene;
using Wait = Watcher::Wait;

class Counter final : public EventSink {
 public:
  bool on_event(const Event& event) override {
    ++events;
    last_time = event.time.tv_sec;
    return true;
  }
  void on_batch_end() override { events_at_batch_end = events; }
  int events = 0;
  int events_at_batch_end = 0;
  std::time_t last_time = -1;
};

class Resting {
 public:
  explicit Resting(bool stamp = true) : watcher_(create(stamp)) {
    REQUIRE(watcher_.add(room_.at("t").string()));
  }

  void touch() { std::ofstream(room_.at("t/f" + std::to_string(++files_))); }
  Wait wait(std::optional<std::chrono::nanoseconds> timeout) {
    const Result<Wait> waited = watcher_.wait(timeout, counter);
    REQUIRE(waited);
    return *waited;
  }
  Wait dispatch() {
    const Result<Wait> waited = watcher_.dispatch(counter);
    REQUIRE(waited);
    return *waited;
  }

  Counter counter;

 private:
  static Watcher create(bool stamp) {
    WatcherOptions options;
    options.stamp = stamp;
    options.mask = mask::create;
    options.rest_in_read = true;
    Result<Watcher> watcher = Watcher::create(options);
    REQUIRE(watcher);
    return std::move(watcher).value();
  }

  Scene room_;
  Watcher watcher_;
  int files_ = 0;
};

}  // namespace

TEST_CASE("a wait that rests in read(2) hands on what is queued, again and again") {
  Resting resting;
  for (int i = 1; i <= 3; ++i) {
    resting.touch();
    CHECK(resting.wait(std::nullopt) == Wait::events);
    CHECK(resting.counter.events == i);
  }
}

TEST_CASE("after a wait that rests in read(2), dispatch and timeouts do not wait") {
  Resting resting;
  for (int i = 1; i <= 3; ++i) {
    resting.touch();
    CHECK(resting.wait(std::nullopt) == Wait::events);
    CHECK(resting.dispatch() == Wait::timed_out);
    CHECK(resting.wait(std::chrono::nanoseconds(1000)) == Wait::timed_out);
  }
  CHECK(resting.counter.events == 3);
}

TEST_CASE("a signal ends a wait that rests in read(2)") {
  Resting resting;
  struct sigaction action = {}, before;
  action.sa_handler = [](int) {};
  REQUIRE(::sigaction(SIGALRM, &action, &before) == 0);
  const itimerval often{{0, 20'000}, {0, 20'000}};  // again and again: one may come before the wait begins
  REQUIRE(::setitimer(ITIMER_REAL, &often, nullptr) == 0);
  const Wait waited = resting.wait(std::nullopt);
  const itimerval never{};
  ::setitimer(ITIMER_REAL, &never, nullptr);
  ::sigaction(SIGALRM, &before, nullptr);
  CHECK(waited == Wait::interrupted);
}

TEST_CASE("the end of a batch is told when its events have been handed on") {
  Resting resting;
  for (int i = 1; i <= 3; ++i) {
    resting.touch();
    resting.touch();
    CHECK(resting.wait(std::nullopt) == Wait::events);
    CHECK(resting.counter.events == 2 * i);
    CHECK(resting.counter.events_at_batch_end == 2 * i);
  }
}

TEST_CASE("events have their time, unless nobody wants it") {
  for (const bool stamp : {true, false}) {
    Resting resting(stamp);
    const std::time_t before = std::time(nullptr);
    resting.touch();
    CHECK(resting.wait(std::nullopt) == Wait::events);
    CHECK((resting.counter.last_time >= before - 1) == stamp);
    CHECK((resting.counter.last_time == 0) == !stamp);
  }
}
