// SPDX-License-Identifier: GPL-2.0-or-later
#include "backend/handle_table.hpp"

#include <doctest/doctest.h>

#include <string>

using notify_core::backend::HandleTable;

TEST_CASE("an object keeps its number, and no number is given twice") {
  HandleTable table;
  CHECK(table.find("a") == -1);
  const int a = table.intern("a");
  const int b = table.intern("b");
  CHECK(a != b);
  CHECK(table.intern("a") == a);
  CHECK(table.find("b") == b);
  CHECK(table.key(a) == "a");
  table.forget(a);
  CHECK(table.find("a") == -1);
  CHECK(table.key(a).empty());
  CHECK(table.find("b") == b);
  const int again = table.intern("a");
  CHECK(again != a);
  CHECK(again != b);
}

TEST_CASE("no key, no number") {
  HandleTable table;
  CHECK(table.intern("") == -1);
  table.forget(17);
  CHECK(table.size() == 0);
}

TEST_CASE("keys stay found while the table grows and shrinks") {
  HandleTable table;
  for (int i = 0; i < 10'000; ++i) table.intern("handle " + std::to_string(i));
  for (int i = 0; i < 10'000; i += 2) table.forget(table.find("handle " + std::to_string(i)));
  CHECK(table.size() == 5'000);
  for (int i = 0; i < 10'000; ++i) {
    const std::string key = "handle " + std::to_string(i);
    const int number = table.find(key);
    CHECK((number >= 0) == (i % 2 == 1));
    if (number >= 0) CHECK(table.key(number) == key);
  }
}
