// SPDX-License-Identifier: GPL-2.0-or-later
#include "inotifysync/loop/target_look.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>

#include "room.hpp"

using namespace inotifysync;
namespace fs = std::filesystem;

namespace {

// A source, and the way to a target beside the tree that it stands in.
struct Place : Room {
  Place() { fs::create_directories(at("tree/source")); }
  SourceConfig to(const std::string& target) const {
    SourceConfig source;
    source.path = at("tree/source");
    source.targets = {parse_target(at(target).string()).value()};
    return source;
  }
};

}  // namespace

TEST_CASE("a target that is there, that is not yet, and one that may not be there") {
  const Place room;
  const TargetFacts missing = look_at_target(room.to("copy"));
  CHECK_FALSE(missing.is_there);
  fs::create_directory(room.at("copy"));
  const TargetFacts there = look_at_target(room.to("copy"));
  struct stat raw;
  REQUIRE(::stat(room.at("copy").c_str(), &raw) == 0);
  CHECK(there.is_there);
  CHECK(there.inode == raw.st_ino);
  CHECK(there.fault.empty());
  CHECK(there.mount == missing.mount);
  if (there.mount != 0 && !there.mounts.empty())
    CHECK(std::find(there.mounts.begin(), there.mounts.end(), there.mount) != there.mounts.end());
  fs::create_directory_symlink(room.at("tree"), room.at("link"));
  CHECK(look_at_target(room.to("link")).fault.find("holds its own source") != std::string::npos);
}

TEST_CASE("the answer comes by the loop, once for each question") {
  const Place room;
  fs::create_directory(room.at("copy"));
  const auto loop = EventLoop::create().value();
  const auto look = target_look(*loop, room.to("copy"));
  REQUIRE(look);
  int answers = 0;
  std::function<void(const TargetFacts&)> seen = [&](const TargetFacts& facts) {
    CHECK(facts.is_there);
    if (++answers == 3) return loop->stop();
    look->ask(seen);
  };
  look->ask(seen);
  look->ask(seen);  // one is under way
  REQUIRE(loop->run());
  CHECK(answers == 3);
}

TEST_CASE("who is gone is not told") {
  const Place room;
  const auto loop = EventLoop::create().value();
  auto look = target_look(*loop, room.to("copy"));
  REQUIRE(look);
  look->ask([](const TargetFacts&) { FAIL("told"); });
  look.reset();
  const auto enough = loop->timer([&] { loop->stop(); });
  enough->set(std::chrono::milliseconds(50));
  REQUIRE(loop->run());
}
