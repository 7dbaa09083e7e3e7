// SPDX-License-Identifier: GPL-2.0-or-later
// How often did what happen, and where? Counters for the events of a Watcher, one row a watch, and what is
// done to rows before they are shown: grouped, sorted, cut. All of it is exact, and none of it looks at a
// clock or a file.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "notify_core/event.hpp"
#include "notify_core/export.hpp"

namespace notify_core {

// The events that have a counter of their own, in the order in which inotifywatch shows them.
inline constexpr std::array<EventMask, 13> counted_events{
    mask::access, mask::modify,      mask::attrib,   mask::close_write, mask::close_nowrite,
    mask::open,   mask::moved_from,  mask::moved_to, mask::move_self,   mask::create,
    mask::remove, mask::delete_self, mask::unmount,
};

struct NOTIFY_API Counts {
  std::uint64_t total = 0;  // records counted; also those without a counter below, as "ignored"
  std::array<std::uint64_t, counted_events.size()> of{};  // in the order of counted_events

  void add(EventMask event);                // one record; a merged one adds to each of its counters
  std::uint64_t sum(EventMask bits) const;  // of the counters of all `bits`
  Counts& operator+=(const Counts& other);
};

struct StatisticsRow {
  std::string name;  // path of the watch, a directory's ends in '/'; or what the rows were grouped by
  Counts counts;
};

// What rows are ordered by: the total (bits 0) or the sum of some counters. Ties stay in order of watching.
struct SortKey {
  EventMask bits = 0;
  bool ascending = false;
};

class NOTIFY_API Statistics {
 public:
  enum class By {
    watch,      // a row for every watch; a directory made again under its old name is another watch
    extension,  // a row for every ending of file names, ".txt", up to `most_extensions`
    path,       // a row for every path that something happened to, up to `most_paths`, after those of what
                // happened to the watched objects themselves; the path is the one it had at that moment
  };
  // Events of further paths are counted under the directory.
  static constexpr std::size_t most_paths = 500'000;
  // What the names beyond that limit are counted under, and the names without an ending.
  static constexpr std::size_t most_extensions = 10'000;
  static constexpr std::string_view other_extensions = "(other)";
  static constexpr std::string_view no_extension = "(none)";

  // Calls back with the number and the path of every live watch, in order of watching:
  // Watcher::for_each_watch.
  using Visit = std::function<void(std::uint32_t watch, std::string_view path)>;
  using LiveWatches = std::function<void(const Visit&)>;

  explicit Statistics(By by = By::watch, bool keep_zero_rows = false);

  // Events of no watch (number 0) are counted under the path they tell. The kernel's own records (an
  // overflow) belong nowhere and are not counted.
  void count(const Event& event);
  // The watch ended and its row stays, under `path`, the name it had last.
  void watch_deleted(std::uint32_t watch, std::string_view path);
  // The watch ended and its row goes, because what it counted is no longer where it is shown.
  void watch_moved_out(std::uint32_t watch);

  // In order of watching; rows without events only where `keep_zero_rows` says so. A live watch is shown
  // under the path it has now.
  std::vector<StatisticsRow> rows(const LiveWatches& live) const;

  // Begins a new period: all counters are 0, the rows of deleted watches go.
  void restart();

 private:
  struct Counter {
    std::uint32_t watch = 0;
    Counts counts;
  };
  struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };
  // Place of a watch's counter in counters_, plus `first_place`; what comes before says that there is none.
  static constexpr std::uint32_t nothing_yet = 0;
  static constexpr std::uint32_t moved_out = 1;
  static constexpr std::uint32_t first_place = 2;

  std::uint32_t& place(std::uint32_t watch);
  Counts* counts_of(std::uint32_t watch);
  Counts& counts_of_name(std::string_view name);
  Counts& counts_of_extension(std::string_view extension);
  const Counts* find(std::uint32_t watch) const;

  By by_;
  bool keep_zero_rows_;
  std::vector<std::uint32_t> places_;  // by number of watch: four bytes for each, a counter only where needed
  std::vector<Counter> counters_;
  std::unordered_map<std::uint32_t, std::string> deleted_;  // the last names of watches that ended
  // Rows that belong to no watch: extensions, paths, or places that fanotify tells of without watching them.
  std::vector<StatisticsRow> named_;
  std::unordered_map<std::string, std::size_t, TextHash, std::equal_to<>> named_places_;
};

// What comes after the last dot of a file's name, with the dot; "" where there is no dot but a leading one.
NOTIFY_API std::string_view extension_of(std::string_view path);

// Pure transformations of rows; each keeps the order of first appearance.
NOTIFY_API std::vector<StatisticsRow> group_by_name(const std::vector<StatisticsRow>& rows);
NOTIFY_API std::vector<StatisticsRow> group_by_directory(const std::vector<StatisticsRow>& rows);
// A row for every event of `events`, named as in --event; its only number is the total.
NOTIFY_API std::vector<StatisticsRow> group_by_event(const std::vector<StatisticsRow>& rows,
                                                     EventMask events);
NOTIFY_API Counts sum(const std::vector<StatisticsRow>& rows);
NOTIFY_API void sort_rows(std::vector<StatisticsRow>& rows, SortKey key);

// What was counted in one period, as it is to be said.
struct StatisticsReport {
  std::vector<StatisticsRow> rows;
  std::string_view rows_are = "path";   // what their names name: "path", "directory", "extension", "event"
  bool rows_have_columns = true;        // false: the total is all there is to say of a row
  Counts totals;                        // of everything, in a row or not
  EventMask events = mask::all_events;  // those that were listened for
  double seconds = 0;                   // how long the period was
  std::int64_t ended = 0;               // nanoseconds since the epoch
  std::uint64_t overflows = 0;  // how often the kernel's queue overflowed: what was lost is not counted
};

// The name of an event with a counter, as --event knows it.
NOTIFY_API std::string_view counter_name(std::size_t place);
// Events a second.
NOTIFY_API double rate(std::uint64_t count, const StatisticsReport& report);

// Appends one JSON object and a newline: time, seconds, overflows, totals, rows. A name that is not UTF-8 is
// shown with U+FFFD and has its bytes in a second member, "path_base64".
NOTIFY_API void append_json(std::string& out, const StatisticsReport& report);

// Appends one line a row, RFC 4180 but for the line ends; all of them have the same columns.
struct CsvColumns {
  bool titles = true;  // a line of titles comes first
  bool time = false;   // end of the period, seconds since the epoch
  bool rate = false;
};
NOTIFY_API void append_csv(std::string& out, const StatisticsReport& report, CsvColumns columns);

}  // namespace notify_core
