// SPDX-License-Identifier: GPL-2.0-or-later
#include "inotifysync/loop/event_loop.hpp"

#include <doctest/doctest.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <thread>

using namespace inotifysync;
using namespace std::chrono_literals;
using notify_core::sys::Fd;

namespace {

struct Pipe {
  Pipe() {
    std::array<int, 2> ends;
    REQUIRE(::pipe(ends.data()) == 0);
    read_end.reset(ends[0]);
    write_end.reset(ends[1]);
    REQUIRE(::write(ends[1], "x", 1) == 1);
  }
  Fd read_end, write_end;
};

}  // namespace

TEST_CASE("a timer fires once, in its order, and not when cancelled") {
  auto loop = std::move(EventLoop::create().value());
  std::string order;
  const auto last = loop->timer([&] {
    order += "c";
    loop->stop();
  });
  const auto second = loop->timer([&] { order += "b"; });
  const auto first = loop->timer([&] { order += "a"; });
  const auto never = loop->timer([&] { order += "x"; });
  last->set(60ms);
  second->set(30ms);
  first->set(0ms);
  never->set(1ms);
  never->cancel();
  CHECK(last->is_set());
  CHECK_FALSE(never->is_set());
  REQUIRE(loop->run().has_value());
  CHECK(order == "abc");
  CHECK_FALSE(last->is_set());
}

TEST_CASE("a timer can be made and set when no descriptor is left") {
  auto loop = std::move(EventLoop::create().value());
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  const rlimit none{0, before.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
  bool fired = false;
  const auto timer = loop->timer([&] {
    fired = true;
    loop->stop();
  });
  timer->set(1ms);
  const bool ran = loop->run().has_value();
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
  CHECK(ran);
  CHECK(fired);
}

TEST_CASE("a timer may be set again, cancelled and destroyed by those that are due with it") {
  auto loop = std::move(EventLoop::create().value());
  int again = 0;
  std::unique_ptr<Timer> destroyed, repeated, cancelled;
  const auto first = loop->timer([&] {
    destroyed.reset();
    cancelled->cancel();
  });
  destroyed = loop->timer([] { FAIL("destroyed"); });
  cancelled = loop->timer([] { FAIL("cancelled"); });
  repeated = loop->timer([&] { ++again < 3 ? repeated->set(0ms) : loop->stop(); });
  first->set(1ms);
  for (const auto& timer : {&destroyed, &cancelled, &repeated}) (*timer)->set(2ms);
  destroyed->set(Duration::max());
  destroyed->set(2ms);
  for (const auto all_due = loop->now() + 2ms; loop->now() < all_due;) std::this_thread::yield();
  REQUIRE(loop->run().has_value());
  CHECK(again == 3);
}

TEST_CASE("a handler may remove another that is ready in the same round") {
  auto loop = std::move(EventLoop::create().value());
  Pipe one, two;
  int calls = 0;
  const auto handler = [&](std::uint32_t) {
    ++calls;
    loop->remove(one.read_end.get());
    loop->remove(two.read_end.get());
    loop->stop();
  };
  REQUIRE(loop->add(one.read_end.get(), EPOLLIN, handler).has_value());
  REQUIRE(loop->add(two.read_end.get(), EPOLLIN, handler).has_value());
  REQUIRE(loop->run().has_value());
  CHECK(calls == 1);
}

TEST_CASE("a signal comes as a call") {
  auto loop = std::move(EventLoop::create().value());
  int received = 0;
  REQUIRE(loop->take_signals({SIGUSR1},
                             [&](int number) {
                               received = number;
                               loop->stop();
                             })
              .has_value());
  ::raise(SIGUSR1);
  REQUIRE(loop->run().has_value());
  CHECK(received == SIGUSR1);
}
