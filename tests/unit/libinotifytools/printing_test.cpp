// SPDX-License-Identifier: GPL-2.0-or-later
#include "libinotifytools/printing.hpp"

#include <doctest/doctest.h>

#include <array>

using namespace notify_core;

namespace {

std::string printed(std::string_view format, std::size_t size = 4096,
                    const std::string* time_format = nullptr) {
  Event event;
  event.mask = mask::create | mask::is_directory;
  event.cookie = 0xABC;
  event.watched = "d/";
  event.name = "file";
  std::array<char, 4096> room;
  const auto result = inotifytools::print(std::span(room).first(size), format, event, time_format);
  REQUIRE(result.used <= size);
  return result.complete ? std::string(room.data(), result.used) : "incomplete";
}

}  // namespace

TEST_CASE("sequences of a format are replaced, unknown ones stay") {
  CHECK(printed("%w%f %e") == "d/file CREATE,ISDIR");
  CHECK(printed("%:e%n%c") == "CREATE:ISDIR\nabc");
  CHECK(printed("%%w %z %..e") == "%w %z %..e");
  CHECK(printed("a%0b") == std::string("a\0b", 3));
  CHECK(printed("[%T]") == "[]");
}

TEST_CASE("a format that ends in the middle, or a time without text, shows nothing") {
  const std::string empty, word = "now";
  CHECK(printed("%w%") == "incomplete");
  CHECK(printed("[%T]", 4096, &empty) == "incomplete");
  CHECK(printed("[%T]", 4096, &word) == "[now]");
}

TEST_CASE("no room is overrun") {
  for (std::size_t size = 0; size < 24; ++size) {
    CHECK(printed("%w%f %e%n%n%n", size).size() <= size);
    CHECK(printed("abcdefghijklmnopqrstuvwxyz", size).size() <= size);
  }
  CHECK(printed("%w%f", 4) == "d/fi");
  CHECK(printed("abcdef", 4) == "abc");
}
