// SPDX-License-Identifier: GPL-2.0-or-later
#include "inotifysync/delivery/mount_guard.hpp"

#include <doctest/doctest.h>

using namespace inotifysync;

namespace {
constexpr auto empty = [](const std::string&) { return true; };
constexpr auto not_empty = [](const std::string&) { return false; };
}  // namespace

TEST_CASE("what is unmounted in the source is missed until it is mounted again") {
  MountGuard guard({"/s/a", "/s/b"});
  CHECK_FALSE(guard.see({"/s/a", "/s/b"}));
  CHECK(guard.missed(empty).empty());
  CHECK(guard.see({"/s/b"}));
  CHECK(guard.missed(empty) == std::vector<std::string>{"/s/a"});
  CHECK(guard.see({"/s/c"}));
  CHECK(guard.missed(empty) == std::vector<std::string>{"/s/a", "/s/b"});
  CHECK(guard.see({"/s/a", "/s/b"}));
  CHECK(guard.missed(empty) == std::vector<std::string>{"/s/c"});
}

TEST_CASE("it is missed no longer where something is in its place, or where somebody says that it is right") {
  MountGuard guard({"/s/a"});
  CHECK_FALSE(guard.forget());
  guard.see({});
  CHECK(guard.missed(not_empty).empty());
  CHECK(guard.missed(empty).empty());
  guard.see({"/s/a"});
  guard.see({});
  CHECK(guard.forget());
  CHECK(guard.missed(empty).empty());
}
