// SPDX-License-Identifier: GPL-2.0-or-later
#include "inotifywatch/collection.hpp"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "sys/syscall.hpp"

namespace notify_tools::inotifywatch {

using namespace notify_core;
using std::chrono::nanoseconds;

namespace {

Statistics::By counted_by(const Options& options) {
  if (options.by == By::extension) return Statistics::By::extension;
  const bool of_files = options.by == By::watch && options.backend != Backend::inotify;
  return of_files ? Statistics::By::path : Statistics::By::watch;
}

// Whoever listens for one half of a rename only is told of the other by the old name.
bool keeps_names(const Options& options) {
  return options.recursive && counted_by(options) == Statistics::By::watch &&
         (options.events & mask::move) != mask::move;
}

// As many rows as fit below the line of the period and the titles; what would move the cursor is shown as
// '?'.
StatisticsReport fitting(StatisticsReport report, unsigned rows_of_terminal) {
  const std::size_t room = rows_of_terminal > 3 ? rows_of_terminal - 3 : 1;
  if (report.rows.size() > room) report.rows.resize(room);
  const auto control = [](char c) { return (c >= 0 && c < ' ') || c == '\x7f'; };
  for (StatisticsRow& row : report.rows) std::ranges::replace_if(row.name, control, '?');
  return report;
}

}  // namespace

Counter::Counter(const Options& options, const Filter& filter, const Diagnostics& diagnostics)
    : statistics(counted_by(options), options.zero),
      filter_(options.pattern ? &filter : nullptr),
      names_stay_(keeps_names(options)),
      diagnostics_(diagnostics) {}

bool Counter::on_event(const Event& event) {
  ++events;
  if (names_stay_) first_names_.try_emplace(event.watch, event.watched);
  if (filter_ == nullptr || filter_->shows(event.watched, event.name)) statistics.count(event);
  return true;
}

void Counter::on_notice(const Notice& notice) {
  switch (notice.kind) {
    case Notice::Kind::watch_deleted:
      statistics.watch_deleted(notice.watch, name_of(notice.watch, notice.path));
      first_names_.erase(notice.watch);
      break;
    case Notice::Kind::watch_moved_out:
      statistics.watch_moved_out(notice.watch);
      first_names_.erase(notice.watch);
      break;
    case Notice::Kind::overflow:
      ++overflows;
      break;
    case Notice::Kind::watch_failed:
      diagnostics_.say("Couldn't watch new directory {}: {}", notice.path, reason(*notice.error));
      break;
    case Notice::Kind::events_lost:
      diagnostics_.say("{} events were not counted: where they happened cannot be told any more",
                       notice.count);
      break;
    case Notice::Kind::new_directory:
      if (names_stay_) first_names_.try_emplace(notice.watch, notice.path);
      break;
    case Notice::Kind::overflow_repaired:
    case Notice::Kind::astray:
      break;
  }
}

void Counter::began(const Watcher& watcher) {
  if (!names_stay_) return;
  watcher.for_each_watch(
      [this](std::uint32_t watch, std::string_view path) { first_names_.try_emplace(watch, path); });
}

std::string_view Counter::name_of(std::uint32_t watch, std::string_view path) const {
  if (!names_stay_) return path;
  const auto first = first_names_.find(watch);
  return first == first_names_.end() ? path : std::string_view(first->second);
}

Collection::Collection(const Options& options, const Filter& filter, const Diagnostics& diagnostics,
                       Watcher& watcher, Signals& signals)
    : options_(options),
      diagnostics_(diagnostics),
      watcher_(watcher),
      signals_(signals),
      counter_(options, filter, diagnostics),
      period_began_(Clock::now()) {
  if (options.timeout != 0) deadline_ = period_began_ + std::chrono::seconds(options.timeout);
  if (options.interval) period_ends_ = period_began_ + *options.interval;
  counter_.began(watcher);
}

std::optional<nanoseconds> Collection::time_to_wait() const {
  std::optional<nanoseconds> shortest = watcher_.next_timeout();
  const Clock::time_point now = Clock::now();
  for (const auto& moment : {deadline_, period_ends_}) {
    if (!moment) continue;
    const nanoseconds left = std::max(nanoseconds(0), nanoseconds(*moment - now));
    shortest = shortest ? std::min(*shortest, left) : left;
  }
  return shortest;
}

Result<void> Collection::dispatch() {
  const Result<Watcher::Wait> result = watcher_.dispatch(counter_);
  if (!result) return result.error();
  return {};
}

Result<void> Collection::run() {
  Result<void> result;
  nanoseconds rest = nanoseconds::zero();
  for (bool ended = false; !ended && result;) {
    const bool resting = rest > nanoseconds::zero();
    const Ready ready = resting ? wait_ready(-1, signals_.descriptor(), rest)
                                : wait_ready(watcher_.descriptor(), signals_.descriptor(), time_to_wait());
    result = dispatch();
    if (ready.signals) ended = take_signals();
    const Clock::time_point now = Clock::now();
    if (deadline_ && now >= *deadline_) ended = true;
    if (period_ends_ && now >= *period_ends_ && !ended) end_period(now);
    rest = pacing_.rest_after(now, std::exchange(counter_.events, 0));
  }
  write_report(Clock::now());
  return result;
}

// True: one of them ends the program.
bool Collection::take_signals() {
  for (int number = signals_.next(); number != 0; number = signals_.next()) {
    if (number != SIGUSR1) return true;
    write_report(Clock::now());
    if (options_.output == Output::table) sys::write_all(STDOUT_FILENO, "\n");
  }
  return false;
}

void Collection::end_period(Clock::time_point now) {
  write_report(now);
  counter_.statistics.restart();
  counter_.overflows = 0;
  period_began_ = now;
  // Periods keep their beat; those that were missed (the program was stopped, say) are part of the one just
  // ended.
  while (*period_ends_ <= now) *period_ends_ += *options_.interval;
}

void Collection::write_report(Clock::time_point now) {
  const auto live = [this](const Statistics::Visit& visit) {
    watcher_.for_each_watch(
        [&](std::uint32_t watch, std::string_view path) { visit(watch, counter_.name_of(watch, path)); });
  };
  StatisticsReport report = make_report(counter_.statistics.rows(live), options_);
  report.seconds = std::chrono::duration<double>(now - period_began_).count();
  report.ended = sys::nanoseconds(sys::now(CLOCK_REALTIME));
  report.overflows = counter_.overflows;
  const std::optional<TerminalSize> terminal =
      options_.interval && options_.output == Output::table ? terminal_size() : std::nullopt;
  if (terminal)
    write_in_place(fitting(std::move(report), terminal->rows), *terminal);
  else
    write_text(report);
  if (counter_.overflows != 0) {
    diagnostics_.say(
        "The kernel's queue of events overflowed ({}): events were lost and these counts are low. A larger"
        " fs.inotify.max_queued_events (sysctl) makes room.",
        counter_.overflows == 1 ? "once" : fmt::format("{} times", counter_.overflows));
  }
}

void Collection::write_text(const StatisticsReport& report) {
  std::string text;
  if (options_.output == Output::json) {
    append_json(text, report);
  } else if (options_.output == Output::csv) {
    append_csv(text, report, {!wrote_titles_, options_.interval.has_value(), options_.rates});
    wrote_titles_ = true;
  } else {
    if (options_.interval) append_period(text, report);
    append_table(text, report, options_);
    if (options_.interval)
      text += '\n';
    else if (text.empty())
      diagnostics_.say("No events occurred.");
  }
  sys::write_all(STDOUT_FILENO, text);
}

// Over what was there before, line by line, so that nothing flickers.
void Collection::write_in_place(const StatisticsReport& report, const TerminalSize& terminal) {
  std::string text;
  append_period(text, report);
  append_table(text, report, options_);
  std::string screen = "\x1b[H";
  for (std::string_view left = text; !left.empty();) {
    const std::string_view line = left.substr(0, left.find('\n'));
    screen += line.substr(0, terminal.columns);
    screen += "\x1b[K\n";
    left.remove_prefix(std::min(line.size() + 1, left.size()));
  }
  screen += "\x1b[J";
  sys::write_all(STDOUT_FILENO, screen);
}

}  // namespace notify_tools::inotifywatch
