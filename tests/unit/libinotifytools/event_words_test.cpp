// SPDX-License-Identifier: GPL-2.0-or-later
#include "libinotifytools/event_words.hpp"

#include <doctest/doctest.h>

using namespace notify_core;
using inotifytools::bits_of;
using inotifytools::names_of;

TEST_CASE("names of events become bits, whatever separates them") {
  CHECK(bits_of("modify,Close,CREATE", ',') == int(mask::modify | mask::close | mask::create));
  CHECK(bits_of("access:modify", ':') == int(mask::access | mask::modify));
  CHECK(bits_of("", ',') == 0);
  CHECK(bits_of("access,,modify", ',') == 0);
  CHECK(bits_of("access,", ',') == 0);
  CHECK(bits_of("access,bogus", ',') == -1);
  CHECK(bits_of("accessAmodify", 'A') == -1);
  CHECK(bits_of("close_write", '_') == -1);
}

TEST_CASE("bits become names, and what has none is hexadecimal") {
  CHECK(names_of(mask::close_write, ',') == "CLOSE_WRITE,CLOSE");
  CHECK(names_of(mask::create | mask::is_directory, '-') == "CREATE-ISDIR");
  CHECK(names_of(mask::one_shot, ',') == "ONESHOT");
  CHECK(names_of(mask::open | mask::one_shot, ',') == "OPEN,ONESHOT");
  CHECK(names_of(0, ',') == "0x00000000");
  CHECK(names_of(0x1000, ',') == "0x00001000");
}
