// SPDX-License-Identifier: GPL-2.0-or-later
#include "notify_core/statistics.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <map>
#include <utility>

#include "event/event_mask.hpp"

namespace notify_core {
namespace {

constexpr std::uint8_t no_counter = 0xff;

// The counter of every bit of a mask, by the number of the bit.
constexpr std::array<std::uint8_t, 32> counter_by_bit = [] {
  std::array<std::uint8_t, 32> table{};
  table.fill(no_counter);
  for (std::size_t i = 0; i < counted_events.size(); ++i) {
    table[static_cast<std::size_t>(std::countr_zero(counted_events[i]))] = static_cast<std::uint8_t>(i);
  }
  return table;
}();

std::string_view directory_of(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? std::string_view("./") : path.substr(0, slash + 1);
}

// One row for all that have the same name by `name_of`.
std::vector<StatisticsRow> group(const std::vector<StatisticsRow>& rows,
                                 std::string_view (*name_of)(const StatisticsRow&)) {
  std::vector<StatisticsRow> result;
  std::unordered_map<std::string_view, std::size_t> places;
  for (const StatisticsRow& row : rows) {
    const auto [found, is_new] = places.emplace(name_of(row), result.size());
    if (is_new) result.push_back({std::string(name_of(row)), {}});
    result[found->second].counts += row.counts;
  }
  return result;
}

}  // namespace

void Counts::add(EventMask event) {
  ++total;
  // Nearly every record has one bit; a merged one (fanotify) has several.
  for (EventMask bits = event; bits != 0; bits &= bits - 1) {
    const std::uint8_t counter = counter_by_bit[static_cast<std::size_t>(std::countr_zero(bits))];
    if (counter != no_counter) ++of[counter];
  }
}

std::uint64_t Counts::sum(EventMask bits) const {
  std::uint64_t result = 0;
  for (std::size_t i = 0; i < counted_events.size(); ++i) {
    if ((bits & counted_events[i]) != 0) result += of[i];
  }
  return result;
}

Counts& Counts::operator+=(const Counts& other) {
  total += other.total;
  for (std::size_t i = 0; i < of.size(); ++i) of[i] += other.of[i];
  return *this;
}

Statistics::Statistics(By by, bool keep_zero_rows) : by_(by), keep_zero_rows_(keep_zero_rows) {}

std::uint32_t& Statistics::place(std::uint32_t watch) {
  if (watch >= places_.size()) places_.resize(std::size_t{watch} + 1, nothing_yet);
  return places_[watch];
}

Counts* Statistics::counts_of(std::uint32_t watch) {
  std::uint32_t& at = place(watch);
  if (at == moved_out) return nullptr;
  if (at == nothing_yet) {
    counters_.push_back({watch, {}});
    at = static_cast<std::uint32_t>(counters_.size() - 1) + first_place;
  }
  return &counters_[at - first_place].counts;
}

const Counts* Statistics::find(std::uint32_t watch) const {
  if (watch >= places_.size() || places_[watch] < first_place) return nullptr;
  return &counters_[places_[watch] - first_place].counts;
}

Counts& Statistics::counts_of_name(std::string_view name) {
  auto found = named_places_.find(name);
  if (found == named_places_.end()) {
    found = named_places_.emplace(name, named_.size()).first;
    named_.push_back({std::string(name), {}});
  }
  return named_[found->second].counts;
}

Counts& Statistics::counts_of_extension(std::string_view extension) {
  if (extension.empty()) extension = no_extension;
  const bool full = named_.size() >= most_extensions;
  return counts_of_name(full && !named_places_.contains(extension) ? other_extensions : extension);
}

void Statistics::count(const Event& event) {
  if ((event.mask & mask::q_overflow) != 0) return;
  if (by_ == By::path && (event.mask & mask::ignored) != 0)
    return;  // no deed, and fanotify's kernel says no such thing
  if (by_ == By::extension) {
    const std::string_view of = event.name.empty() ? event.watched : event.name;
    counts_of_extension(extension_of(of)).add(event.mask);
  } else if (by_ == By::path && !event.name.empty()) {
    fmt::memory_buffer text;
    text.append(event.watched);
    text.append(event.name);
    const std::string_view path(text.data(), text.size());
    const bool full = named_.size() >= most_paths;
    counts_of_name(full && !named_places_.contains(path) ? event.watched : path).add(event.mask);
  } else if (event.watch == 0) {
    counts_of_name(event.watched).add(event.mask);
  } else if (Counts* counts = counts_of(event.watch)) {
    counts->add(event.mask);
  }
}

void Statistics::watch_deleted(std::uint32_t watch, std::string_view path) {
  if (by_ == By::extension) return;
  // The last record of a watch comes before the word of its end, so whether there is a row is known.
  if (find(watch) != nullptr || keep_zero_rows_) deleted_.insert_or_assign(watch, std::string(path));
}

void Statistics::watch_moved_out(std::uint32_t watch) {
  if (by_ == By::extension) return;
  std::uint32_t& at = place(watch);
  if (at >= first_place) counters_[at - first_place].counts = {};
  at = moved_out;
  deleted_.erase(watch);
}

std::vector<StatisticsRow> Statistics::rows(const LiveWatches& live) const {
  const bool of_watches = keep_zero_rows_ || !counters_.empty();
  if (by_ == By::extension || !of_watches) return named_;
  // Live and deleted watches together, in order of watching.
  std::map<std::uint32_t, std::string_view> ended;
  for (const auto& [watch, name] : deleted_) ended.emplace(watch, name);

  std::vector<StatisticsRow> result;
  const auto add = [&](std::uint32_t watch, std::string_view name) {
    const Counts* counts = find(watch);
    const Counts none;
    if (counts == nullptr) counts = &none;
    if (counts->total != 0 || keep_zero_rows_) result.push_back({std::string(name), *counts});
  };
  auto next = ended.begin();
  live([&](std::uint32_t watch, std::string_view path) {
    for (; next != ended.end() && next->first < watch; ++next) add(next->first, next->second);
    if (next != ended.end() && next->first == watch) ++next;  // said to have ended, and is still there
    add(watch, path);
  });
  for (; next != ended.end(); ++next) add(next->first, next->second);
  result.insert(result.end(), named_.begin(), named_.end());
  return result;
}

void Statistics::restart() {
  for (const Counter& counter : counters_) {
    if (places_[counter.watch] != moved_out) places_[counter.watch] = nothing_yet;
  }
  counters_.clear();
  deleted_.clear();
  named_.clear();
  named_places_.clear();
}

std::string_view extension_of(std::string_view path) {
  const std::string_view name = path.substr(path.rfind('/') + 1);
  const std::size_t dot = name.rfind('.');
  if (dot == std::string_view::npos || dot == 0 || dot + 1 == name.size()) return {};
  return name.substr(dot);
}

std::vector<StatisticsRow> group_by_name(const std::vector<StatisticsRow>& rows) {
  return group(rows, [](const StatisticsRow& row) { return std::string_view(row.name); });
}

std::vector<StatisticsRow> group_by_directory(const std::vector<StatisticsRow>& rows) {
  return group(rows, [](const StatisticsRow& row) { return directory_of(row.name); });
}

std::vector<StatisticsRow> group_by_event(const std::vector<StatisticsRow>& rows, EventMask events) {
  const Counts all = sum(rows);
  std::vector<StatisticsRow> result;
  for (std::size_t i = 0; i < counted_events.size(); ++i) {
    if ((counted_events[i] & events) == 0) continue;
    StatisticsRow row{std::string(counter_name(i)), {}};
    row.counts.total = all.of[i];
    row.counts.of[i] = all.of[i];
    result.push_back(std::move(row));
  }
  return result;
}

std::string_view counter_name(std::size_t place) {
  return std::ranges::find(event::kinds, counted_events[place], &event::EventKind::bits)->name;
}

double rate(std::uint64_t count, const StatisticsReport& report) {
  return report.seconds > 0 ? static_cast<double>(count) / report.seconds : 0;
}

Counts sum(const std::vector<StatisticsRow>& rows) {
  Counts result;
  for (const StatisticsRow& row : rows) result += row.counts;
  return result;
}

void sort_rows(std::vector<StatisticsRow>& rows, SortKey key) {
  const auto value = [key](const StatisticsRow& row) {
    return key.bits == 0 ? row.counts.total : row.counts.sum(key.bits);
  };
  std::stable_sort(rows.begin(), rows.end(), [&](const StatisticsRow& a, const StatisticsRow& b) {
    return key.ascending ? value(a) < value(b) : value(b) < value(a);
  });
}

}  // namespace notify_core
