// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/seconds.hpp"

#include <doctest/doctest.h>

using namespace notify_tools;
using namespace std::chrono_literals;

TEST_CASE("seconds, as strtol takes them") {
  CHECK(parse_seconds("5").value == 5s);
  CHECK(parse_seconds(" \t+01").value == 1s);
  CHECK(parse_seconds("-3").value == 3s);
  CHECK(parse_seconds("-3").negative);
  CHECK(parse_seconds("4294967297").value == 4294967297s);
  CHECK(parse_seconds("9223372036854775807").value > 9'000'000'000s);
}

TEST_CASE("parts of a second") {
  CHECK(parse_seconds("0.5").value == 500ms);
  CHECK(parse_seconds(".25").value == 250ms);
  CHECK(parse_seconds("1.000000001").value == 1s + 1ns);
  CHECK(parse_seconds("0.0000000019").value == 1ns);
  CHECK(parse_seconds("-.5").negative);
}

TEST_CASE("what is no number") {
  for (const char* text :
       {"", " ", "x", "5x", "5 ", "0x1", "=5", "+", "-", ".", "5.", "1.5.2", "1e3", "5,5"}) {
    CHECK_MESSAGE(parse_seconds(text).state == Seconds::State::not_a_number, text);
  }
}

TEST_CASE("more than a long holds") {
  CHECK(parse_seconds("99999999999999999999").state == Seconds::State::out_of_range);
  CHECK(parse_seconds("-99999999999999999999.5").state == Seconds::State::out_of_range);
}
