// SPDX-License-Identifier: GPL-2.0-or-later
// inotifywait and fsnotifywait: wait for events and print them.
//
//   option_table  every option and its line of help        options  the command line, checked
//   printer       what is shown, and when that is enough   main     from the first message to the last event
#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "common/command_line.hpp"
#include "common/daemon.hpp"
#include "common/diagnostics.hpp"
#include "common/last_words.hpp"
#include "common/limits.hpp"
#include "common/output.hpp"
#include "common/path_list.hpp"
#include "inotifywait/options.hpp"
#include "inotifywait/printer.hpp"
#include "notify_core/watcher.hpp"
#include "sys/syscall.hpp"

namespace notify_tools::inotifywait {
namespace {

using namespace notify_core;
using Clock = std::chrono::steady_clock;

constexpr int failure = 1;
constexpr int timed_out = 2;

// What to wait until, at most: for one event more, and for the end of all.
class Deadlines {
 public:
  explicit Deadlines(const Options& options) : options_(options), start_(Clock::now()), last_event_(start_) {}

  bool any() const { return options_.timeout || options_.total_timeout; }
  void heard(Time now) { last_event_ = now; }

  std::optional<Time> end() const {
    std::optional<Time> end;
    if (options_.timeout) end = later(last_event_, *options_.timeout);
    if (!options_.total_timeout) return end;
    const Time total = later(start_, *options_.total_timeout);
    return end ? std::min(*end, total) : total;
  }

 private:
  static Time later(Time from, std::chrono::nanoseconds length) {
    return length < Time::max() - from ? from + length : Time::max();
  }

  const Options& options_;
  Time start_;
  Time last_event_;
};

class Program {
 public:
  Program(Options options, std::string_view argv0)
      : options_(std::move(options)), log_(argv0), terminal_(argv0) {}

  int run() {
    if (!prepare_filter() || !prepare_format() || !prepare_paths()) return failure;
    if (!prepare_output() || !prepare_watcher()) return failure;
    if (!add_watches()) return failure;
    if (options_.negative_timeout) {
      log_.say("Negative timeout specified - abort!");
      return failure;
    }
    if (options_.daemon) {
      const Result<Side> side = go_to_background();
      if (!side) return fail("Couldn't go to the background: {}", reason(side.error()));
      if (*side == Side::parent) return 0;
    }
    return wait_for_events();
  }

 private:
  template <class... Words>
  int fail(fmt::format_string<Words...> format, const Words&... words) {
    terminal_.say(std::string_view(fmt::vformat(format, fmt::make_format_args(words...))));
    return failure;
  }

  // Where what fails from now on is said: with --syslog in the system log, but a daemon tells the terminal
  // what keeps it from starting.
  const Diagnostics& complaints() const { return options_.daemon ? terminal_ : log_; }

  bool prepare_filter();
  bool prepare_format();
  bool prepare_paths();
  bool prepare_output();
  bool prepare_watcher();
  bool add_watches();
  void tell_unread(const Error& error) const;
  void tell_unwatched(const std::string& path, const Error& error) const;
  EventMask wanted_events() const;
  bool follow_names();
  int wait_for_events();
  static std::optional<std::chrono::nanoseconds> time_left(const Printer& printer,
                                                           const Deadlines& deadlines);
  bool pass_time(Printer& printer, Deadlines& deadlines, const Result<Watcher::Wait>& waited);
  Result<Watcher::Wait> wait_for_reader(std::optional<std::chrono::nanoseconds> timeout, Printer& printer);
  int end_with(Printer& printer, const Result<Watcher::Wait>& waited, bool over);
  void tell_trouble();
  std::string write_failure() const;

  Options options_;
  Diagnostics log_;
  Diagnostics terminal_;
  Wording wording_;
  PathList paths_;
  FollowedNames followed_;
  std::optional<Output> output_;
  int told_trouble_ = 0;
  bool told_loss_ = false;
  std::optional<Watcher> watcher_;
};

bool Program::prepare_filter() {
  Result<Filter> filter = Filter::create(options_.patterns);
  if (filter) {
    wording_.filter = std::move(filter).value();
    return true;
  }
  const auto bad = std::ranges::find(options_.patterns, filter.error().path, &Filter::Pattern::text);
  const bool excludes = bad->shows == Filter::Shows::not_matching;
  if (bad->glob) {
    fail("{}: --{}{}: '{}' is no pattern: {}", log_.program(), excludes ? "exclude" : "include",
         bad->ignore_case ? "i" : "", bad->text, reason(filter.error()));
    return false;
  }
  fail("Error in `{}' regular expression.", excludes ? "exclude" : "include");
  return false;
}

bool Program::prepare_format() {
  if (options_.style == Style::csv) wording_.line = Format::csv(options_.ending);
  if (options_.style == Style::json) wording_.line = Format::json(options_.ending);
  if (options_.style == Style::csv || options_.style == Style::json) return true;
  const Format::Moves moves = options_.pair_moves ? Format::Moves::joined : Format::Moves::halves;
  // Inotify does not tell who did it: there %p and %P stay what they have always been, text.
  const Format::Processes processes =
      options_.backend == Backend::inotify ? Format::Processes::unknown : Format::Processes::known;
  const auto compile = [&](std::string_view text) {
    return Format::compile(text, options_.time_format, options_.ending, moves, processes);
  };
  const bool standard = options_.style == Style::standard;
  Result<Format> line = compile(standard ? "%w %,e %f" : options_.format);
  if (!line) {
    fail("Something is wrong with your format string.");
    return false;
  }
  wording_.line = std::move(line).value();
  if (!standard || !options_.pair_moves) return true;
  Result<Format> move_line = compile("%o %,e %w%f");
  if (move_line) wording_.move_line = std::move(move_line).value();
  return true;
}

bool Program::prepare_paths() {
  if (options_.from_file) {
    const Result<void> added = paths_.add_file(*options_.from_file);
    if (!added) fail("Couldn't open {}: {}", added.error().path, reason(added.error()));
  }
  for (const std::string& operand : options_.operands) paths_.add(operand);
  if (!paths_.watched.empty()) return true;
  fail("No files specified to watch!");
  return false;
}

bool Program::prepare_output() {
  if (!options_.out_file) {
    output_ = Output::standard();
    return true;
  }
  Result<Output> file = Output::to_file(*options_.out_file);
  if (file) {
    output_ = std::move(file).value();
  } else if (options_.daemon) {
    fail("{}: {}", reason(file.error()), *options_.out_file);
  } else {
    fail("Failed to open output file {}", *options_.out_file);
  }
  return output_.has_value();
}

EventMask Program::wanted_events() const {
  EventMask events = options_.events;
  if (options_.follow_name) events = events_of_entry(events);
  if (options_.follow_name && options_.end_when_gone) events |= mask::create | mask::remove | mask::move;
  return events;
}

bool Program::prepare_watcher() {
  WatcherOptions wanted;
  wanted.backend = options_.backend;
  wanted.mask = wanted_events();
  wanted.recursive = options_.recursive;
  wanted.follow_tree = options_.recursive && options_.monitor;
  wanted.follow_symlinks = options_.follow_symlinks;
  wanted.recover = options_.recover;
  wanted.gather = options_.monitor;
  wanted.rest_in_read = true;  // no signal is handled here
  wanted.stamp = wording_.line.names_times();
  wanted.below_only = options_.below;
  wanted.ignored_processes = options_.ignored_processes;
  wanted.ignored_programs = options_.ignored_programs;
  wanted.name_programs = options_.style == Style::json || wording_.line.names_processes();
  wanted.excluded_paths = paths_.excluded;
  if (!options_.patterns.empty()) {
    wanted.prune = [this](std::string_view directory) { return wording_.filter.hides_all_below(directory); };
  }
  Result<Watcher> watcher = Watcher::create(std::move(wanted));
  if (watcher) {
    watcher_.emplace(std::move(watcher).value());
    return true;
  }
  const bool inotify = options_.backend == Backend::inotify;
  fail("Couldn't initialize {}: {}", inotify ? "inotify" : "fanotify", reason(watcher.error()));
  if (!inotify || watcher.error().number != EMFILE) return false;
  if (const std::string hint = descriptor_hint(); !hint.empty()) {
    fail("{}", hint);
  } else {
    fail("Try increasing the value of /proc/sys/fs/inotify/max_user_instances");
    say_use(terminal_, Limit::instances);
  }
  return false;
}

bool Program::add_watches() {
  if (options_.syslog) log_.use_syslog();
  if (options_.quiet == 0) {
    const bool filesystem = options_.backend == Backend::fanotify_filesystem;
    log_.say(filesystem           ? "Setting up filesystem watches."
             : options_.recursive ? "Setting up watches.  Beware: since -r was given, this may take a while!"
                                  : "Setting up watches.");
  }
  if (options_.follow_name && !follow_names()) return false;
  for (const std::string& path : options_.follow_name ? followed_.directories() : paths_.watched) {
    const Result<void> added = watcher_->add(path, [this](const Error& error) { tell_unread(error); });
    if (added) continue;
    tell_unwatched(path, added.error());
    return false;
  }
  if (options_.quiet == 0) log_.say("Watches established.");
  return true;
}

// That some directories may not be read is nothing new to who watches them.
void Program::tell_unread(const Error& error) const {
  if (error.number == EACCES || options_.quiet > 1) return;
  complaints().say("Couldn't watch all of {}: {}", error.path, reason(error));
}

void Program::tell_unwatched(const std::string& path, const Error& error) const {
  if (error.number != ENOSPC || options_.backend != Backend::inotify) {
    const bool filesystem = options_.backend == Backend::fanotify_filesystem;
    return complaints().say("Couldn't {} {}: {}", filesystem ? "add filesystem watch" : "watch", path,
                            reason(error));
  }
  complaints().say("Failed to watch {}; upper limit on inotify watches reached!", path);
  complaints().say(
      "Please increase the amount of inotify watches allowed per user via "
      "`/proc/sys/fs/inotify/max_user_watches'.");
  say_use(complaints(), Limit::watches);
}

// Only files: of a directory, what happens in it would be watched, and that is another directory's after a
// rename.
bool Program::follow_names() {
  for (const std::string& path : paths_.watched) {
    sys::FileFacts facts;
    const int status =
        sys::facts_at(AT_FDCWD, path.c_str(), options_.follow_symlinks ? 0 : AT_SYMLINK_NOFOLLOW, facts);
    const bool exists = status >= 0;
    if (!exists && (options_.end_when_gone || status != -ENOENT)) {
      tell_unwatched(path, sys::error(status, "statx", path));
      return false;
    }
    const bool directory = exists && S_ISDIR(facts.mode);
    if (directory || !followed_.add(path, exists, Clock::now())) {
      complaints().say("Couldn't watch {}: --follow-name is for files", path);
      return false;
    }
  }
  return true;
}

// Who reads what was printed may get the processor only when this waits again: from the line to there the way
// is short, too.
[[gnu::hot]] int Program::wait_for_events() {
  Printer printer(options_, wording_, followed_, *output_, log_);
  Deadlines deadlines(options_);
  const bool timed = deadlines.any() || options_.pair_moves || options_.settle || options_.follow_name;
  for (;;) {
    std::optional<std::chrono::nanoseconds> timeout;
    if (timed) timeout = time_left(printer, deadlines);
    const Result<Watcher::Wait> waited =
        output_->is_behind() ? wait_for_reader(timeout, printer) : watcher_->wait(timeout, printer);
    if (!printer.status()) output_->write_some();  // before all else: somebody waits for the line
    const bool over = timed && pass_time(printer, deadlines, waited);
    const bool gone = options_.end_when_gone && watcher_->watch_count() == 0;
    if (printer.status() || !waited || over || gone) return end_with(printer, waited, over);
    if (options_.out_file) tell_trouble();
  }
}

// Until there is something to do although nothing happens.
std::optional<std::chrono::nanoseconds> Program::time_left(const Printer& printer,
                                                           const Deadlines& deadlines) {
  const std::optional<Time> end = deadlines.end();
  const std::optional<Time> due = printer.next_due();
  if (!end && !due) return {};
  const Time until = !due || (end && *end < *due) ? *end : *due;
  return std::max(until - Clock::now(), Time::duration::zero());
}

// Does what is due; true where the time to wait is over.
bool Program::pass_time(Printer& printer, Deadlines& deadlines, const Result<Watcher::Wait>& waited) {
  const Time now = Clock::now();
  if (waited && *waited == Watcher::Wait::events) deadlines.heard(now);
  const bool kept_back = printer.next_due().has_value();
  printer.do_due(now);
  if (kept_back && !printer.status()) output_->write_some();
  return deadlines.end() && *deadlines.end() <= now;
}

// Whoever reads what is printed is slow: waits for room in the pipe, too, and reads on meanwhile.
Result<Watcher::Wait> Program::wait_for_reader(std::optional<std::chrono::nanoseconds> timeout,
                                               Printer& printer) {
  const Result<Watcher::Wait> waited = watcher_->wait(std::chrono::nanoseconds(0), printer);
  if (!waited || *waited != Watcher::Wait::timed_out) return waited;
  output_->write_some();
  if (!output_->is_behind()) return waited;
  const std::timespec length = sys::to_timespec(timeout.value_or(std::chrono::nanoseconds(0)));
  const int ready =
      sys::wait_for_either(watcher_->descriptor(), output_->descriptor(), timeout ? &length : nullptr);
  return ready == -EINTR ? Watcher::Wait::interrupted : waited;
}

// Once when it begins, and once when it has lasted too long. Of standard output, scripts expect nothing of
// that.
void Program::tell_trouble() {
  const int told = std::exchange(told_trouble_, output_->trouble());
  const bool told_loss = std::exchange(told_loss_, output_->has_dropped());
  if (told_trouble_ == 0 || (told != 0 && told_loss == told_loss_)) return;
  log_.say(
      "{}: couldn't write to {}: {}; {}", log_.program(), *options_.out_file, write_failure(),
      told_loss_ ? "events were lost" : "what is to be printed is kept, and tried again at the next event");
}

std::string Program::write_failure() const {
  return reason(sys::error(output_->trouble(), "write"));
}

int Program::end_with(Printer& printer, const Result<Watcher::Wait>& waited, bool over) {
  printer.finish();
  output_->flush();
  if (options_.out_file && output_->trouble() != 0) {
    log_.say("{}: couldn't write to {}: {}; the last events are lost", log_.program(), *options_.out_file,
             write_failure());
    return failure;
  }
  if (printer.status()) return *printer.status();
  if (!waited) {
    log_.say("{}: {}: {}", log_.program(), waited.error().call, reason(waited.error()));
    return failure;
  }
  return over ? timed_out : failure;
}

int start(int argc, const char* const* argv) {
  open_missing_standard_streams();
  const char* const argv0 = argc > 0 ? argv[0] : "";
  const Diagnostics terminal(argv0);
  Reading reading = read_options(read_command_line(option_specs(), argc, argv), terminal.program());
  if (reading.help) {
    Output output = Output::standard();
    output.buffer() = help_text(terminal.program(), NOTIFY_TOOLS_VERSION);
    output.flush();
    return failure;
  }
  for (const std::string& line : reading.complaints) terminal.say(line);
  for (const std::string& line : reading.warnings) terminal.say(line);
  if (!reading.complaints.empty()) return failure;
  return Program(std::move(reading.options), argv0).run();
}

}  // namespace
}  // namespace notify_tools::inotifywait

int main(int argc, char** argv) {
  return notify_tools::with_last_words(argc > 0 ? argv[0] : "inotifywait", EXIT_FAILURE,
                                       [&] { return notify_tools::inotifywait::start(argc, argv); });
}
