// SPDX-License-Identifier: GPL-2.0-or-later
#include "libinotifytools/watch_table.hpp"

#include <doctest/doctest.h>

using notify_core::inotifytools::WatchTable;

TEST_CASE("a watch is found by its number and by every name that it was set up with") {
  WatchTable table;
  table.add(1, "a/", 1);
  table.add(1, "link/", 2);
  CHECK(table.size() == 1);
  CHECK(table.find(1)->name == "a/");
  CHECK(table.find(1)->events == 2);
  CHECK(table.find("link/") == table.find("a/"));
  table.remove(1);
  table.remove(1);
  CHECK(table.size() == 0);
  CHECK(table.find("a/") == nullptr);
  CHECK(table.find("link/") == nullptr);
}

TEST_CASE("a name belongs to the watch that had it first, until that goes") {
  WatchTable table;
  table.add(1, "a", 1);
  table.add(2, "a", 1);
  CHECK(table.find("a")->number == 1);
  table.remove(2);
  CHECK(table.find("a")->number == 1);
}

TEST_CASE("a renamed watch is found by its new name alone") {
  WatchTable table;
  table.add(1, "a/", 1);
  table.add(1, "link/", 1);
  table.add(2, "a/b/", 1);
  table.add(3, "ab", 1);
  table.rename(1, "z/");
  CHECK(table.find("z/")->number == 1);
  CHECK(table.find("a/") == nullptr);
  CHECK(table.find("link/") == nullptr);
  table.rename(9, "nobody");
  CHECK(table.find("nobody") == nullptr);
  table.replace_prefix("a/", "y/");
  CHECK(table.find("y/b/")->number == 2);
  CHECK(table.find("ab")->number == 3);
}
