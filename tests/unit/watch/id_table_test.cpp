// SPDX-License-Identifier: GPL-2.0-or-later
#include "watch/id_table.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <set>

using notify_core::watch::IdTable;

namespace {

std::uint32_t itself(std::uint32_t id) {
  return id;
}

bool holds(const IdTable& table, std::uint32_t id) {
  return table.find(id, [&](std::uint32_t other) { return other == id; }) == id;
}

}  // namespace

TEST_CASE("what was put in is found until it is taken out") {
  IdTable table;
  std::set<std::uint32_t> kept;
  std::uint32_t number = 12345;
  for (int turn = 0; turn < 20'000; ++turn) {
    number = number * 1664525 + 1013904223;
    const std::uint32_t id = (number >> 16) % 1000;
    if (kept.erase(id) != 0) {
      table.erase(id, itself);
    } else {
      table.insert(id, itself);
      kept.insert(id);
    }
    CHECK(holds(table, id) == kept.contains(id));
  }
  CHECK(table.size() == kept.size());
  for (std::uint32_t id = 0; id < 1000; ++id) CHECK(holds(table, id) == kept.contains(id));
}

TEST_CASE("numbers given in order cost no more than others to take out") {
  constexpr std::uint32_t count = 200'000;
  for (const std::uint32_t first : {1U, 5'000'000U}) {
    IdTable table;
    for (std::uint32_t id = first; id < first + count; ++id) table.insert(id, itself);
    std::uint64_t asked = 0;
    const auto counted = [&](std::uint32_t id) { return ++asked, id; };
    for (std::uint32_t id = first; id < first + count; ++id) table.erase(id, counted);
    CHECK(table.size() == 0);
    CHECK(asked < 10 * count);
  }
}
