// SPDX-License-Identifier: GPL-2.0-or-later
#include "notify_core/statistics.hpp"

#include <doctest/doctest.h>

#include <random>
#include <string>
#include <utility>
#include <vector>

#include "event/event_mask.hpp"

using namespace notify_core;

namespace {

using Watches = std::vector<std::pair<std::uint32_t, std::string>>;

Statistics::LiveWatches alive(Watches watches) {
  return [watches](const Statistics::Visit& visit) {
    for (const auto& [number, path] : watches) visit(number, path);
  };
}

Event happened(std::uint32_t watch, EventMask bits, std::string_view name = {},
               std::string_view watched = {}) {
  Event result;
  result.watch = watch;
  result.mask = bits;
  result.name = name;
  result.watched = watched;
  return result;
}

std::string names(const std::vector<StatisticsRow>& rows) {
  std::string result;
  for (const StatisticsRow& row : rows) result += row.name + " ";
  return result;
}

StatisticsRow row(std::string name, std::uint64_t opened, std::uint64_t created) {
  StatisticsRow result{std::move(name), {}};
  for (std::uint64_t i = 0; i < opened; ++i) result.counts.add(mask::open);
  for (std::uint64_t i = 0; i < created; ++i) result.counts.add(mask::create | mask::is_directory);
  return result;
}

}  // namespace

TEST_CASE("every counted event is one bit with a name of its own") {
  for (std::size_t i = 0; i < counted_events.size(); ++i) {
    CHECK(event::parse_one(counter_name(i)) == counted_events[i]);
    Counts counts;
    counts.add(counted_events[i]);
    CHECK(counts.of[i] == 1);
    CHECK(counts.sum(counted_events[i]) == 1);
    CHECK(counts.sum(~counted_events[i]) == 0);
  }
}

TEST_CASE("the total counts records, a counter its bit") {
  Counts counts;
  counts.add(mask::create | mask::remove);  // merged by the kernel
  counts.add(mask::ignored);                // no counter of its own
  counts.add(mask::create | mask::is_directory);
  CHECK(counts.total == 3);
  CHECK(counts.sum(mask::create) == 2);
  CHECK(counts.sum(mask::remove) == 1);
  CHECK(counts.sum(mask::all_events) == 3);
  CHECK(counts.sum(mask::ignored) == 0);
}

TEST_CASE("rows come in order of watching, by the names the watches have now") {
  Statistics statistics;
  statistics.count(happened(3, mask::open));
  statistics.count(happened(1, mask::open));
  const auto rows = statistics.rows(alive({{1, "d/a/"}, {2, "d/b/"}, {3, "d/"}}));
  CHECK(names(rows) == "d/a/ d/ ");
  CHECK(names(statistics.rows(alive({{1, "e/a/"}, {2, "e/b/"}, {3, "e/"}}))) == "e/a/ e/ ");
}

TEST_CASE("rows without events are shown where they were asked for") {
  Statistics statistics(Statistics::By::watch, true);
  statistics.count(happened(2, mask::open));
  CHECK(names(statistics.rows(alive({{1, "a/"}, {2, "b/"}, {9, "c/"}}))) == "a/ b/ c/ ");
}

TEST_CASE("the row of a deleted directory stays in its place, and a new one of the name is another") {
  Statistics statistics;
  statistics.count(happened(1, mask::create));
  statistics.count(happened(2, mask::create));
  statistics.count(happened(1, mask::ignored));
  statistics.watch_deleted(1, "d/a/");
  statistics.count(happened(4, mask::create));
  const auto rows = statistics.rows(alive({{2, "d/"}, {4, "d/a/"}}));
  CHECK(names(rows) == "d/a/ d/ d/a/ ");
  CHECK(rows[0].counts.total == 2);
  CHECK(rows[2].counts.total == 1);
}

TEST_CASE("the row of a directory that moved out goes, and nothing late brings it back") {
  Statistics statistics(Statistics::By::watch, true);
  statistics.count(happened(1, mask::create));
  statistics.count(happened(2, mask::create));
  statistics.watch_moved_out(1);
  statistics.count(happened(1, mask::ignored));
  const auto rows = statistics.rows(alive({{2, "d/"}}));
  CHECK(names(rows) == "d/ ");
  CHECK(sum(rows).total == 1);
}

TEST_CASE("a watch without events may move out, too") {
  Statistics statistics;
  statistics.watch_moved_out(7);
  statistics.count(happened(7, mask::open));
  CHECK(statistics.rows(alive({{7, "d/"}})).empty());
}

TEST_CASE("events of no watch are counted under the path they tell") {
  Statistics statistics;
  statistics.count(happened(0, mask::open, "f", "/d/"));
  statistics.count(happened(0, mask::open, "g", "/d/"));
  statistics.count(happened(3, mask::open, "", "f"));
  const auto rows = statistics.rows(alive({{3, "f"}}));
  CHECK(names(rows) == "f /d/ ");
  CHECK(rows[1].counts.total == 2);
}

TEST_CASE("a row for every path: what is watched first, the others as they came") {
  Statistics statistics(Statistics::By::path);
  statistics.count(happened(1, mask::create, "g", "/d/"));
  statistics.count(happened(1, mask::open, "f", "/d/"));
  statistics.count(happened(1, mask::open | mask::is_directory, {}, "/d/"));
  statistics.count(happened(1, mask::remove, "g", "/d/"));
  statistics.count(happened(2, mask::ignored, {}, "/d/e/"));
  statistics.watch_deleted(2, "/d/e/");
  const auto rows = statistics.rows(alive({{1, "/d/"}}));
  CHECK(names(rows) == "/d/ /d/g /d/f ");
  CHECK(rows[1].counts.sum(mask::create | mask::remove) == 2);
  statistics.restart();
  CHECK(statistics.rows(alive({{1, "/d/"}})).empty());
}

TEST_CASE("beyond so many paths the directory is counted") {
  Statistics statistics(Statistics::By::path);
  const std::size_t more = 3;
  for (std::size_t i = 0; i < Statistics::most_paths + more; ++i)
    statistics.count(happened(1, mask::create, std::to_string(i), "/d/"));
  statistics.count(happened(1, mask::remove, "7", "/d/"));
  const auto rows = statistics.rows(alive({}));
  REQUIRE(rows.size() == Statistics::most_paths + 1);
  CHECK(rows.back().name == "/d/");
  CHECK(rows.back().counts.total == more);
  CHECK(rows[7].counts.total == 2);
}

TEST_CASE("a watch that ends without events leaves nothing behind") {
  Statistics statistics;
  statistics.watch_deleted(4, "d/a/");
  CHECK(statistics.rows(alive({})).empty());
  Statistics all(Statistics::By::watch, true);
  all.watch_deleted(4, "d/a/");
  CHECK(names(all.rows(alive({}))) == "d/a/ ");
}

TEST_CASE("records of the queue itself belong to no row") {
  Statistics statistics;
  statistics.count(happened(0, mask::q_overflow));
  CHECK(statistics.rows(alive({{0, "d/"}})).empty());
}

TEST_CASE("a new period begins with nothing") {
  Statistics statistics;
  statistics.count(happened(1, mask::open));
  statistics.count(happened(2, mask::open));
  statistics.watch_deleted(2, "d/gone/");
  statistics.restart();
  CHECK(statistics.rows(alive({{1, "d/"}})).empty());
  statistics.count(happened(1, mask::modify));
  const auto rows = statistics.rows(alive({{1, "d/"}}));
  CHECK(names(rows) == "d/ ");
  CHECK(rows[0].counts.total == 1);
}

TEST_CASE("a million events are counted one by one") {
  constexpr std::uint32_t watches = 1000;
  Statistics statistics;
  std::vector<Counts> expected(watches);
  Watches live;
  for (std::uint32_t i = 0; i < watches; ++i) live.emplace_back(i + 1, std::to_string(i));
  std::mt19937 random(20221122);
  for (int i = 0; i < 1'000'000; ++i) {
    const auto watch = static_cast<std::uint32_t>(random() % watches);
    const EventMask bits = counted_events[random() % counted_events.size()];
    expected[watch].add(bits);
    statistics.count(happened(watch + 1, bits));
  }
  const auto rows = statistics.rows(alive(live));
  REQUIRE(rows.size() == watches);
  for (std::uint32_t i = 0; i < watches; ++i) {
    REQUIRE(rows[i].counts.of == expected[i].of);
    REQUIRE(rows[i].counts.total == expected[i].total);
  }
}

TEST_CASE("names end in extensions") {
  CHECK(extension_of("d/a.txt") == ".txt");
  CHECK(extension_of("a.tar.gz") == ".gz");
  CHECK(extension_of("d.d/a") == "");
  CHECK(extension_of(".profile") == "");
  CHECK(extension_of("d/.profile") == "");
  CHECK(extension_of("a.") == "");
  CHECK(extension_of("d/") == "");
  CHECK(extension_of("") == "");
}

TEST_CASE("by extension, every name counts for its ending") {
  Statistics statistics(Statistics::By::extension);
  statistics.count(happened(1, mask::open, "a.c", "d/"));
  statistics.count(happened(2, mask::open, "b.c", "e/"));
  statistics.count(happened(1, mask::open, "Makefile", "d/"));
  statistics.count(happened(1, mask::delete_self, "", "d.old/"));
  statistics.count(happened(3, mask::open, "", "f/notes.txt"));
  const auto rows = statistics.rows(alive({}));
  CHECK(names(rows) == ".c (none) .txt ");
  CHECK(rows[0].counts.total == 2);
  CHECK(rows[1].counts.total == 2);
  statistics.restart();
  CHECK(statistics.rows(alive({})).empty());
}

TEST_CASE("beyond the limit, extensions are counted together") {
  Statistics statistics(Statistics::By::extension);
  for (std::size_t i = 0; i < Statistics::most_extensions + 5; ++i) {
    statistics.count(happened(1, mask::open, "tmp." + std::to_string(i)));
  }
  const auto rows = statistics.rows(alive({}));
  REQUIRE(rows.size() == Statistics::most_extensions + 1);
  CHECK(rows.back().name == Statistics::other_extensions);
  CHECK(rows.back().counts.total == 5);
}

TEST_CASE("by directory, files go to the one they lie in") {
  const auto rows = group_by_directory({row("d/", 1, 0), row("e/f", 2, 0), row("g", 4, 0), row("d/", 8, 1)});
  REQUIRE(names(rows) == "d/ e/ ./ ");
  CHECK(rows[0].counts.total == 10);
  CHECK(rows[0].counts.sum(mask::create) == 1);
  CHECK(rows[1].counts.total == 2);
}

TEST_CASE("by name, equal names are one") {
  const auto rows = group_by_name({row("d/", 1, 0), row("e/", 2, 0), row("d/", 8, 1)});
  REQUIRE(names(rows) == "d/ e/ ");
  CHECK(rows[0].counts.total == 10);
}

TEST_CASE("by event, a row has the total of its event") {
  const auto rows =
      group_by_event({row("d/", 2, 1), row("e/", 3, 0)}, mask::open | mask::create | mask::modify);
  REQUIRE(names(rows) == "modify open create ");
  CHECK(rows[0].counts.total == 0);
  CHECK(rows[1].counts.total == 5);
  CHECK(rows[2].counts.total == 1);
}

TEST_CASE("sorting keeps the order of watching among equals, both ways") {
  const std::vector<StatisticsRow> unsorted{row("a", 1, 3), row("b", 2, 0), row("c", 1, 3), row("d", 2, 1)};
  const auto sorted = [&](SortKey key) {
    auto rows = unsorted;
    sort_rows(rows, key);
    return names(rows);
  };
  CHECK(sorted({}) == "a c d b ");
  CHECK(sorted({0, true}) == "b d a c ");
  CHECK(sorted({mask::open, false}) == "b d a c ");
  CHECK(sorted({mask::open, true}) == "a c b d ");
  CHECK(sorted({mask::open | mask::create, true}) == "b d a c ");
  CHECK(sorted({mask::q_overflow, false}) == "a b c d ");  // nothing is counted under it
}
