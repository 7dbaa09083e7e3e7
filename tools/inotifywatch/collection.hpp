// SPDX-License-Identifier: GPL-2.0-or-later
// The time between "now collecting statistics" and the last table.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "common/diagnostics.hpp"
#include "inotifywatch/loop/signals.hpp"
#include "inotifywatch/options.hpp"
#include "inotifywatch/pacing.hpp"
#include "inotifywatch/report.hpp"
#include "notify_core/error.hpp"
#include "notify_core/filter.hpp"
#include "notify_core/statistics.hpp"
#include "notify_core/watcher.hpp"

namespace notify_tools::inotifywatch {

// Counts what a watcher hands on.
class Counter : public notify_core::EventSink {
 public:
  Counter(const Options& options, const notify_core::Filter& filter, const Diagnostics& diagnostics);

  bool on_event(const notify_core::Event& event) override;
  void on_notice(const notify_core::Notice& notice) override;
  void began(const notify_core::Watcher& watcher);
  // What the row of a watch is called that is at `path` now.
  std::string_view name_of(std::uint32_t watch, std::string_view path) const;

  notify_core::Statistics statistics;
  std::uint64_t overflows = 0;
  std::size_t events = 0;  // that came, counted or not

 private:
  const notify_core::Filter* filter_;  // null: everything counts
  const bool names_stay_;  // rows are called as their directories were when they came to be watched
  std::unordered_map<std::uint32_t, std::string> first_names_;
  const Diagnostics& diagnostics_;
};

class Collection {
 public:
  // All of these outlive the collection; `filter` may be the default one.
  Collection(const Options& options, const notify_core::Filter& filter, const Diagnostics& diagnostics,
             notify_core::Watcher& watcher, Signals& signals);

  // Until SIGINT, SIGTERM, SIGHUP or the timeout. Error: what the watcher could not go on after; what was
  // counted until then has been written.
  notify_core::Result<void> run();

 private:
  using Clock = std::chrono::steady_clock;

  std::optional<std::chrono::nanoseconds> time_to_wait() const;
  notify_core::Result<void> dispatch();
  bool take_signals();
  void end_period(Clock::time_point now);
  void write_report(Clock::time_point now);
  void write_text(const notify_core::StatisticsReport& report);
  void write_in_place(const notify_core::StatisticsReport& report, const TerminalSize& terminal);

  const Options& options_;
  const Diagnostics& diagnostics_;
  notify_core::Watcher& watcher_;
  Signals& signals_;
  Counter counter_;
  Clock::time_point period_began_;
  std::optional<Clock::time_point> period_ends_;
  std::optional<Clock::time_point> deadline_;
  Pacing pacing_;
  bool wrote_titles_ = false;
};

}  // namespace notify_tools::inotifywatch
