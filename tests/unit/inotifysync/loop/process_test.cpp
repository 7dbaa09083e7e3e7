// SPDX-License-Identifier: GPL-2.0-or-later
#include "inotifysync/loop/process.hpp"

#include <doctest/doctest.h>

#include <csignal>

#include "inotifysync/loop/event_loop.hpp"
#include "inotifysync/loop/process_group.hpp"

using namespace inotifysync;
using namespace std::chrono_literals;

namespace {

// The thread sanitizer makes vfork(2) a fork(2): the child's errno does not reach us, nor does a signal at
// once.
#if defined(__SANITIZE_THREAD__)
constexpr bool vfork_is_fork = true;
#elif defined(__has_feature)
constexpr bool vfork_is_fork = __has_feature(thread_sanitizer);
#else
constexpr bool vfork_is_fork = false;
#endif

// Runs one child to its end and keeps all it said.
struct Listener : ChildListener {
  explicit Listener(EventLoop& of) : loop(of) {}
  void on_output(std::string_view bytes) override {
    output += bytes;
    if (when_heard) when_heard();
  }
  void on_error_output(std::string_view bytes) override { error_output += bytes; }
  void on_exit(ChildExit how) override {
    exit = how;
    loop.stop();
  }
  EventLoop& loop;
  std::string output, error_output;
  std::optional<ChildExit> exit;
  std::function<void()> when_heard;
};

struct Fixture {
  std::unique_ptr<EventLoop> loop = std::move(EventLoop::create().value());
  Listener heard{*loop};
  LoopSpawner spawner{*loop};
  std::unique_ptr<Timer> deadline = loop->timer([this] { loop->stop(); });

  std::unique_ptr<Child> start(std::vector<std::string> arguments) {
    auto child = spawner.start({std::move(arguments), {"GREETING=hi"}}, heard);
    REQUIRE(child.has_value());
    return std::move(child.value());
  }
  void run() {
    deadline->set(20s);
    REQUIRE(loop->run().has_value());
    REQUIRE(heard.exit.has_value());
  }
};

}  // namespace

TEST_CASE("a child is fed, heard, and its exit status told") {
  Fixture f;
  const auto child = f.start({"sh", "-c", "cat; echo \"$GREETING\" >&2; exit 7"});
  const std::string much(1 << 20, 'x');
  child->give_input(much);
  f.run();
  CHECK(f.heard.output == much);
  CHECK(f.heard.error_output == "hi\n");
  CHECK_FALSE(f.heard.exit->signalled);
  CHECK(f.heard.exit->number == 7);
}

TEST_CASE("arguments reach the child as they are, without a shell") {
  Fixture f;
  const auto child = f.start({"printf", "%s|", "$HOME", "a b", "", "\"'"});
  child->give_input("");
  f.run();
  CHECK(f.heard.output == "$HOME|a b||\"'|");
}

TEST_CASE("a child killed by a signal is not mistaken for an exit status" * doctest::skip(vfork_is_fork)) {
  Fixture f;
  const auto child = f.start({"sleep", "1000"});
  child->end(10s);
  f.run();
  CHECK(f.heard.exit->signalled);
  CHECK(f.heard.exit->number == SIGTERM);
}

TEST_CASE("a child that ignores SIGTERM is killed after the grace time") {
  Fixture f;
  const auto child = f.start({"sh", "-c", "trap '' TERM; echo up; while :; do sleep 1000; done"});
  f.heard.when_heard = [&] { child->end(50ms); };
  f.run();
  CHECK(f.heard.exit->signalled);
  CHECK(f.heard.exit->number == SIGKILL);
}

TEST_CASE("a child has ended when all that it left behind in its group has") {
  Fixture f;
  const auto child = f.start({"sh", "-c", "sleep 1000 </dev/null >/dev/null 2>&1 & exit 3"});
  const int group = child->pid();
  f.run();
  CHECK(f.heard.exit->number == 3);
  CHECK_FALSE(is_group_alive(group));
}

TEST_CASE("who destroys a child has nothing left of it") {
  Fixture f;
  auto child = f.start({"sh", "-c", "sleep 1000 & echo up; wait"});
  const int group = child->pid();
  f.heard.when_heard = [&] { f.loop->stop(); };
  f.deadline->set(20s);
  REQUIRE(f.loop->run().has_value());
  REQUIRE(f.heard.output == "up\n");
  child.reset();
  CHECK_FALSE(is_group_alive(group));
}

TEST_CASE("a child that closes its stdin early does not kill us, nor its exit status") {
  std::signal(SIGPIPE, SIG_IGN);
  Fixture f;
  const auto child = f.start({"sh", "-c", "exec 0<&-; exit 3"});
  child->give_input(std::string(1 << 20, 'x'));
  f.run();
  CHECK(f.heard.exit->number == 3);
}

TEST_CASE("a program that does not exist is an error with its name" * doctest::skip(vfork_is_fork)) {
  Fixture f;
  const auto child = f.spawner.start({{"no-such-program-anywhere"}, {}}, f.heard);
  REQUIRE_FALSE(child.has_value());
  CHECK(child.error().number == ENOENT);
  CHECK(child.error().path == "no-such-program-anywhere");
}

TEST_CASE("bytes moved are told while the child runs") {
  Fixture f;
  const auto child = f.start({"sh", "-c", "read line; exit 0"});
  const auto moved = child->bytes_moved();
  REQUIRE(moved.has_value());
  child->give_input("line\n");
  f.run();
}
