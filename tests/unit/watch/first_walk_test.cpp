// SPDX-License-Identifier: GPL-2.0-or-later
#include "watch/first_walk.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>

#include <atomic>
#include <filesystem>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <vector>

#include "notify_core/watcher.hpp"
#include "room.hpp"
#include "sys/syscall.hpp"

using namespace notify_core;
using watch::WalkShare;
using watch::WalkSharing;

namespace {

class NoPlacer : public backend::WatchPlacer {
 public:
  int enter(int) override { return 0; }
  int add(const char*, EventMask, unsigned) override { return -ENOENT; }
  bool keeps_place() const override { return true; }
  void use_working_directory(bool) override {}
  const char* adding_call() const override { return "none"; }
};

std::shared_ptr<WalkShare> share_of(const std::string& names) {
  return std::make_shared<WalkShare>(WalkShare{sys::Fd(), "t/", names, 0, false, 0, 0, watch::WalkRecord(0)});
}

// Directories within directories, of all shapes, some names longer than others.
void grow(const std::filesystem::path& top, int count) {
  std::mt19937 random(5);
  std::vector<std::filesystem::path> made{top};
  for (int i = 0; i < count; ++i) {
    const std::size_t latest = made.size() < 40 || random() % 2 ? made.size() : 40;
    const auto parent = made[random() % latest];
    made.push_back(parent / ("d" + std::to_string(i) + std::string(random() % 20, 'x')));
    std::filesystem::create_directory(made.back());
  }
}

std::vector<std::string> watched_below(const Room& room, WatcherOptions options) {
  options.mask = mask::all_events;
  options.recursive = true;
  auto watcher = Watcher::create(std::move(options));
  REQUIRE(watcher);
  REQUIRE(watcher->add(room.path().string()));
  std::vector<std::string> paths;
  watcher->for_each_watch([&](std::uint32_t, std::string_view path) { paths.emplace_back(path); });
  return paths;
}

}  // namespace

TEST_CASE("a large tree is watched in the order of one thread, whoever walks it") {
  Room room;
  constexpr int directories = 4000;
  grow(room.path(), directories);
  WatcherOptions alone;
  alone.prune = [](std::string_view) { return false; };  // what is asked of paths is asked by one thread
  const std::vector<std::string> expected = watched_below(room, std::move(alone));
  REQUIRE(expected.size() == directories + 1);
  for (int round = 0; round < 5; ++round) CHECK(watched_below(room, {}) == expected);
}

TEST_CASE("a share that nobody takes up is walked by who gave it") {
  WalkSharing sharing(std::make_unique<NoPlacer>());
  CHECK_FALSE(sharing.offer(share_of("a")));  // nobody wants one
  std::atomic<bool> let_go{false};
  std::atomic<int> by_second{0};
  sharing.start([&](backend::WatchPlacer&, WalkShare&) {
    ++by_second;
    while (!let_go) std::this_thread::yield();
  });
  while (!sharing.wanted()) std::this_thread::yield();
  const auto first = share_of("a");
  REQUIRE(sharing.offer(first));
  while (by_second == 0) std::this_thread::yield();
  CHECK_FALSE(sharing.wanted());
  CHECK_FALSE(sharing.offer(share_of("b")));
  let_go = true;
  CHECK(sharing.await(*first, [](WalkShare&) {}));
  CHECK(first->done);
}

TEST_CASE("who waits for a share takes another one meanwhile") {
  WalkSharing sharing(std::make_unique<NoPlacer>());
  std::vector<std::string> walked;
  std::atomic<bool> taken{false};
  const auto inner = share_of("inner");
  sharing.start([&](backend::WatchPlacer&, WalkShare& share) {
    if (share.names != "outer") return;
    taken = true;
    while (!sharing.offer(inner)) std::this_thread::yield();  // until the first one waits
    CHECK(sharing.await(*inner, [](WalkShare&) {}));
  });
  const auto outer = share_of("outer");
  while (!sharing.offer(outer)) std::this_thread::yield();
  while (!taken) std::this_thread::yield();
  CHECK(sharing.await(*outer, [&](WalkShare& share) { walked.push_back(share.names); }));
  CHECK(inner->done);
}

TEST_CASE("what a walk throws is thrown to who waits for it") {
  WalkSharing sharing(std::make_unique<NoPlacer>());
  sharing.start([](backend::WatchPlacer&, WalkShare&) { throw std::bad_alloc(); });
  const auto share = share_of("a");
  while (!sharing.offer(share)) std::this_thread::yield();
  const auto run = [](WalkShare&) { throw std::bad_alloc(); };  // it may be faster than the second thread
  CHECK_THROWS_AS(sharing.await(*share, run), std::bad_alloc);
}

namespace {

// Watches whatever it is told, and counts.
class AnyPlacer final : public NoPlacer {
 public:
  explicit AnyPlacer(std::atomic<int>& added) : added_(added) {}
  int add(const char*, EventMask, unsigned) override { return ++added_; }
  bool keeps_place() const override { return false; }

 private:
  std::atomic<int>& added_;
};

// Has enough of a large walk once the second thread is at work.
class Weary final : public watch::WalkSink {
 public:
  Weary(const WalkSharing& sharing, const std::atomic<int>& by_second)
      : sharing_(sharing), by_second_(by_second) {}
  bool begin(std::string_view, int) override {
    constexpr int large = 1200;
    ++begun_;
    while (begun_ > large && !sharing_.wanted() && by_second_ == 0) std::this_thread::yield();
    if (by_second_ > 0) throw std::bad_alloc();
    return true;
  }
  void end(bool) override {}
  void missed(int) override {}
  void failed(Error) override {}

 private:
  const WalkSharing& sharing_;
  const std::atomic<int>& by_second_;
  int begun_ = 0;
};

}  // namespace

TEST_CASE("a walk that throws is gone before the second thread has seen that") {
  Room room;
  for (int i = 0; i < 1000; ++i) std::filesystem::create_directories(room.at(std::to_string(i) + "/s"));
  std::atomic<int> first{0}, second{0};
  AnyPlacer placer(first);
  const watch::WalkRules rules;
  WalkSharing sharing(std::make_unique<AnyPlacer>(second));
  Weary sink(sharing, second);
  const auto walk = [&] {
    sys::Fd directory(sys::open_at(AT_FDCWD, room.path().c_str(), O_RDONLY | O_DIRECTORY));
    watch::FirstWalk(placer, rules, sink, &sharing).walk(std::move(directory), 0, "t/");
  };
  CHECK_THROWS_AS(walk(), std::bad_alloc);
}
