// SPDX-License-Identifier: GPL-2.0-or-later
#include "inotifysync/delivery/target_guard.hpp"

#include <doctest/doctest.h>

using namespace inotifysync;

namespace {

constexpr std::uint64_t root = 1, disk = 20, other = 21;

TargetFacts directory(std::uint64_t inode, std::uint64_t mount, std::vector<std::uint64_t> mounts) {
  TargetFacts facts;
  facts.is_there = true;
  facts.device = facts.mount = mount;
  facts.inode = inode;
  facts.mounts = std::move(mounts);
  return facts;
}

TargetFacts nothing_on(std::uint64_t mount) {
  TargetFacts facts;
  facts.mount = mount;
  facts.mounts = {mount};
  return facts;
}

}  // namespace

TEST_CASE("the same directory is trusted, another one is not known") {
  TargetGuard guard;
  CHECK(guard.judge(directory(7, root, {root})) == TargetVerdict::trusted);
  CHECK(guard.judge(directory(7, root, {root, disk})) == TargetVerdict::trusted);
  CHECK(guard.judge(directory(8, root, {root})) == TargetVerdict::changed);
  CHECK(guard.judge(directory(8, root, {root})) == TargetVerdict::trusted);
}

TEST_CASE("one that is made where none was is our own; one that is gone is to be made again") {
  TargetGuard guard;
  CHECK(guard.judge(nothing_on(root)) == TargetVerdict::trusted);
  CHECK(guard.judge(directory(7, root, {root})) == TargetVerdict::trusted);
  CHECK(guard.judge(nothing_on(root)) == TargetVerdict::changed);
  CHECK(guard.judge(directory(9, root, {root})) == TargetVerdict::trusted);
}

TEST_CASE("what shows where something was mounted is not the target") {
  for (const TargetFacts& below : {directory(2, root, {root}), nothing_on(root)}) {
    TargetGuard guard;
    CHECK(guard.judge(directory(7, disk, {root, disk})) == TargetVerdict::trusted);
    CHECK(guard.judge(below) == TargetVerdict::unmounted);
    CHECK(guard.judge(below) == TargetVerdict::unmounted);
    CHECK(guard.judge(directory(7, other, {root, other})) == TargetVerdict::changed);  // mounted again
    CHECK(guard.judge(below) == TargetVerdict::unmounted);
    guard.forget();
    CHECK(guard.judge(below) == TargetVerdict::trusted);
  }
}

TEST_CASE("something is mounted over it, or its link leads to another disk") {
  TargetGuard guard;
  CHECK(guard.judge(directory(7, root, {root, disk})) == TargetVerdict::trusted);
  CHECK(guard.judge(directory(2, other, {root, disk, other})) == TargetVerdict::changed);
  CHECK(guard.judge(directory(2, disk, {root, disk, other})) == TargetVerdict::changed);
}

TEST_CASE("where nobody tells of mounts, a directory counts") {
  TargetGuard guard;
  CHECK(guard.judge(directory(7, 0, {})) == TargetVerdict::trusted);
  CHECK(guard.judge(directory(8, 0, {})) == TargetVerdict::changed);
}

TEST_CASE("a target that lies where it must not is none, and the known one stays known") {
  TargetGuard guard;
  CHECK(guard.judge(directory(7, root, {root})) == TargetVerdict::trusted);
  TargetFacts bad = directory(8, root, {root});
  bad.fault = "'copy' holds its own source 'source'";
  CHECK(guard.judge(bad) == TargetVerdict::misplaced);
  CHECK(guard.judge(directory(7, root, {root})) == TargetVerdict::trusted);
}

TEST_CASE("a filesystem may give the same directory another number") {
  TargetGuard guard;
  TargetFacts fat = directory(7, root, {root});
  fat.birth = 1'000'000'000;
  CHECK(guard.judge(fat) == TargetVerdict::trusted);
  fat.inode = 8;
  CHECK(guard.judge(fat) == TargetVerdict::trusted);
  fat.inode = 9;
  fat.birth = 2'000'000'000;
  CHECK(guard.judge(fat) == TargetVerdict::changed);
}

TEST_CASE("what a target was going to be made on counts, too") {
  TargetGuard guard;
  TargetFacts missing = nothing_on(disk);
  missing.mounts = {root, disk};
  CHECK(guard.judge(missing) == TargetVerdict::trusted);
  CHECK(guard.judge(nothing_on(root)) == TargetVerdict::unmounted);
}
