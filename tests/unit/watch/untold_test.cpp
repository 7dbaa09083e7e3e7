// SPDX-License-Identifier: GPL-2.0-or-later
#include "watch/untold.hpp"

#include <doctest/doctest.h>

using namespace notify_core;
using watch::UntoldDirectories;

TEST_CASE("of a directory that waits, it is known what was told") {
  UntoldDirectories untold;
  CHECK(untold.empty());
  untold.add(7);
  untold.heard(7, "made", mask::create);
  untold.heard(7, "came", mask::moved_to | mask::is_directory);
  untold.heard(7, "seen", mask::open);
  CHECK(untold.told(7, "made"));
  CHECK(untold.told(7, "came"));
  CHECK_FALSE(untold.told(7, "seen"));
  untold.heard(7, "made", mask::remove);
  untold.heard(7, "came", mask::moved_from);
  CHECK_FALSE(untold.told(7, "made"));
  CHECK_FALSE(untold.told(7, "came"));
}

TEST_CASE("what is told of a directory that does not wait is not kept") {
  UntoldDirectories untold;
  untold.tell(7, "made");
  CHECK_FALSE(untold.told(7, "made"));
  CHECK(untold.empty());
}

TEST_CASE("a directory that comes anew has nothing told of it, one that goes on waiting has") {
  UntoldDirectories untold;
  untold.add(7);
  untold.tell(7, "made");
  untold.add_waiting(7);
  CHECK(untold.told(7, "made"));
  untold.add(7);
  CHECK_FALSE(untold.told(7, "made"));
  untold.erase(7);
  CHECK_FALSE(untold.contains(7));
}
