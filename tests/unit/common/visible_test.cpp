// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/visible.hpp"

#include <doctest/doctest.h>

#include <string>

using notify_tools::visible;

TEST_CASE("what a terminal would obey is made visible") {
  CHECK(visible("\x1b[31mred") == "\\x1b[31mred");
  CHECK(visible("a\nb\tc\rd\x7f") == "a\\nb\\tc\\x0dd\\x7f");
  CHECK(visible("\xc2\x9b"
                "31m") == "\\xc2\\x9b31m");
  CHECK(visible(std::string_view("a\0b", 3)) == "a\\x00b");
}

TEST_CASE("all else stays as it is") {
  CHECK(visible("plain, \"quoted\" \\ $(x)") == "plain, \"quoted\" \\ $(x)");
  CHECK(visible("\xc3\xa9\xe2\x82\xac") == "\xc3\xa9\xe2\x82\xac");
  CHECK(visible("\xff\xc2") == "\xff\xc2");
  CHECK(visible("").empty());
}
