// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/path_list.hpp"

#include <doctest/doctest.h>

using notify_tools::PathList;
using Paths = std::vector<std::string>;

TEST_CASE("operands: to watch, or not to watch") {
  PathList list;
  for (const char* entry : {"a", "@b", "", "@", "@@c", "d e"}) list.add(entry);
  CHECK(list.watched == Paths{"a", "d e"});
  CHECK(list.excluded == Paths{"b", "@c"});
}

TEST_CASE("lines of a file") {
  PathList list;
  list.add_lines("a\n\n @x\n@b\r\n");
  list.add_lines(std::string_view("c\0tail\n\0\n@\0x\nlast", 17));
  CHECK(list.watched == Paths{"a", " @x", "c", "last"});
  CHECK(list.excluded == Paths{"b\r"});
}

TEST_CASE("lines of any length") {
  PathList list;
  const std::string name(100'000, 'x');
  list.add_lines(name + "\n" + name);
  CHECK(list.watched == Paths{name, name});
}

TEST_CASE("a file that is not there") {
  PathList list;
  const auto added = list.add_file("/nonexistent/list");
  REQUIRE_FALSE(added.has_value());
  CHECK(added.error().path == "/nonexistent/list");
  CHECK(list.add_file("/").has_value());
  CHECK(list.watched.empty());
}
