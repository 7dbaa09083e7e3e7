// SPDX-License-Identifier: GPL-2.0-or-later
#include "inotifywait/printer.hpp"

#include <algorithm>

namespace notify_tools::inotifywait {

using namespace notify_core;

namespace {

using Clock = std::chrono::steady_clock;

constexpr EventMask vital = mask::ignored | mask::unmount;  // the watch is gone

std::optional<Time> earlier(std::optional<Time> a, std::optional<Time> b) {
  if (!a || !b) return a ? a : b;
  return std::min(*a, *b);
}

}  // namespace

Printer::Printer(const Options& options, Wording& wording, FollowedNames& followed, Output& output,
                 const Diagnostics& diagnostics)
    : asked_(options.follow_name ? events_of_entry(options.events) : options.events),
      follows_(options.follow_name),
      keeps_(options.pair_moves || options.settle),
      prints_(options.quiet < 2),
      enough_(options.count != 0 || options.monitor ? options.count : 1),
      wording_(wording),
      output_(output),
      options_(options),
      followed_(followed),
      diagnostics_(diagnostics),
      unsettled_(options.settle.value_or(std::chrono::nanoseconds(0))) {}

[[gnu::hot]] bool Printer::on_event(const Event& event) {
  return follows_ ? on_followed(event) : show(event);
}

bool Printer::on_followed(const Event& event) {
  Event seen = event;
  const bool followed = followed_.translate(seen, Clock::now());
  if (!followed && (event.mask & (vital | mask::q_overflow)) == 0) return true;
  return show(seen);
}

// An event that was not asked for says that what was watched is gone: without --monitor there is nothing left
// to wait for. An overflow says that only of some events.
[[gnu::hot]] bool Printer::show(const Event& seen) {
  if (!wording_.filter.shows(seen.watched, seen.name)) return true;
  if ((seen.mask & asked_) != 0) {
    if (keeps_) {
      join_moves(seen);
    } else {
      print(seen);
    }
  } else if (!options_.monitor && (seen.mask & vital) != 0) {
    status_ = 1;
  }
  return !status_;
}

void Printer::join_moves(const Event& event) {
  if (!options_.pair_moves) return settle(event);
  moves_.take(event, Clock::now(), [this](const Event& joined) { settle(joined); });
}

void Printer::settle(const Event& event) {
  if (!options_.settle) return print(event);
  unsettled_.take(event, Clock::now());
}

[[gnu::hot]] void Printer::print(const Event& event) {
  if (status_ == 0) return;  // what was to be shown has been shown
  const bool moved = wording_.move_line && !event.old_path.empty();
  Format& line = moved ? *wording_.move_line : wording_.line;
  if (prints_) line.append(output_.buffer(), event);
  output_.grown();
  if (++printed_ == enough_) status_ = 0;
}

std::optional<Time> Printer::next_due() const {
  std::optional<Time> due = earlier(moves_.next_due(), unsettled_.next_due());
  if (options_.follow_name && options_.end_when_gone) due = earlier(due, followed_.all_gone());
  return due;
}

void Printer::do_due(Time now) {
  moves_.expire(now, [this](const Event& event) { settle(event); });
  unsettled_.expire(now, [this](const Event& event) { print(event); });
  if (!options_.follow_name || !options_.end_when_gone) return;
  const std::optional<Time> gone = followed_.all_gone();
  if (gone && *gone <= now && !status_) status_ = 1;
}

void Printer::finish() {
  moves_.finish([this](const Event& event) { settle(event); });
  unsettled_.finish([this](const Event& event) { print(event); });
}

// The line is on its way as early as can be: whoever waits for it need not wait for what else there is to do.
[[gnu::hot]] void Printer::on_batch_end() {
  if (!status_) output_.write_some();
}

void Printer::on_notice(const Notice& notice) {
  switch (notice.kind) {
    case Notice::Kind::new_directory:
      if (options_.quiet == 0) say("Watching new directory {}", notice.path);
      break;
    case Notice::Kind::overflow:  // said even with -qq: what was waited for may be among what was lost
      say("{}: the kernel's event queue overflowed: events were lost; reading the tree again",
          diagnostics_.program());
      break;
    case Notice::Kind::watch_failed:
      tell_failure(notice);
      break;
    case Notice::Kind::events_lost:
      if (options_.quiet < 2) {
        diagnostics_.say("{}: {} events were lost: where they happened cannot be told any more",
                         diagnostics_.program(), notice.count);
      }
      break;
    case Notice::Kind::watch_deleted:
    case Notice::Kind::watch_moved_out:
    case Notice::Kind::overflow_repaired:
    case Notice::Kind::astray:
      break;
  }
}

// Said even with -qq: from here on events are missed.
void Printer::tell_failure(const Notice& notice) {
  if (notice.error == nullptr) return;
  const std::string_view slash = notice.path.ends_with('/') ? "" : "/";
  say("Couldn't watch new directory {}{}: {}", notice.path, slash, reason(*notice.error));
}

}  // namespace notify_tools::inotifywait
