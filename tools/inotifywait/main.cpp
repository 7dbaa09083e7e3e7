// SPDX-License-Identifier: GPL-2.0-or-later
// inotifywait and fsnotifywait: wait for events and print them.
//
//   option_table  every option and its line of help        options  the command line, checked
//   printer       what is shown, and when that is enough   main     from the first message to the last event
#include <cerrno>
#include <utility>

#include "common/command_line.hpp"
#include "common/daemon.hpp"
#include "common/diagnostics.hpp"
#include "common/output.hpp"
#include "common/path_list.hpp"
#include "inotifywait/options.hpp"
#include "inotifywait/printer.hpp"
#include "notify_core/watcher.hpp"

namespace notify_tools::inotifywait {
namespace {

using namespace notify_core;

constexpr int failure = 1;
constexpr int timed_out = 2;

class Program {
 public:
  Program(Options options, std::string_view argv0)
      : options_(std::move(options)), log_(argv0), terminal_(argv0) {}

  int run() {
    if (!prepare_text() || !prepare_paths() || !prepare_output() || !prepare_watcher()) return failure;
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

  bool prepare_text();
  bool prepare_paths();
  bool prepare_output();
  bool prepare_watcher();
  bool add_watches();
  void tell_unwatched(const std::string& path, const Error& error) const;
  int wait_for_events();

  Options options_;
  Diagnostics log_;
  Diagnostics terminal_;
  Filter filter_;
  Format format_ = Format::standard();
  PathList paths_;
  std::optional<Output> output_;
  std::optional<Watcher> watcher_;
};

bool Program::prepare_text() {
  if (const std::optional<Pattern>& pattern = options_.pattern) {
    Result<Filter> filter = Filter::create(pattern->text, pattern->shows, pattern->ignore_case);
    if (!filter) {
      const bool excludes = pattern->shows == Filter::Shows::not_matching;
      fail("Error in `{}' regular expression.", excludes ? "exclude" : "include");
      return false;
    }
    filter_ = std::move(filter).value();
  }
  if (options_.style == Style::csv) format_ = Format::csv(options_.ending);
  if (options_.style == Style::json) format_ = Format::json(options_.ending);
  if (options_.style == Style::csv || options_.style == Style::json) return true;
  const std::string text = options_.style == Style::format ? options_.format : "%w %,e %f";
  Result<Format> format = Format::compile(text, options_.time_format, options_.ending);
  if (!format) {
    fail("Something is wrong with your format string.");
    return false;
  }
  format_ = std::move(format).value();
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

bool Program::prepare_watcher() {
  WatcherOptions wanted;
  wanted.backend = options_.backend;
  wanted.mask = options_.events;
  wanted.recursive = options_.recursive;
  wanted.follow_tree = options_.recursive && (options_.monitor || options_.count != 0);
  wanted.follow_symlinks = options_.follow_symlinks;
  wanted.recover = options_.recover;
  wanted.gather = options_.monitor;
  wanted.excluded_paths = paths_.excluded;
  if (options_.pattern) {
    wanted.prune = [this](std::string_view directory) { return filter_.hides_all_below(directory); };
  }
  Result<Watcher> watcher = Watcher::create(std::move(wanted));
  if (watcher) {
    watcher_.emplace(std::move(watcher).value());
    return true;
  }
  const bool inotify = options_.backend == Backend::inotify;
  fail("Couldn't initialize {}: {}", inotify ? "inotify" : "fanotify", reason(watcher.error()));
  if (inotify && watcher.error().number == EMFILE) {
    fail("Try increasing the value of /proc/sys/fs/inotify/max_user_instances");
  }
  return false;
}

bool Program::add_watches() {
  if (options_.syslog) log_.use_syslog();
  if (options_.quiet == 0) {
    log_.say(options_.recursive ? "Setting up watches.  Beware: since -r was given, this may take a while!"
                                : "Setting up watches.");
  }
  for (const std::string& path : paths_.watched) {
    const Result<void> added = watcher_->add(path);
    if (added) continue;
    tell_unwatched(path, added.error());
    return false;
  }
  if (options_.quiet == 0) log_.say("Watches established.");
  return true;
}

void Program::tell_unwatched(const std::string& path, const Error& error) const {
  if (error.number != ENOSPC) return complaints().say("Couldn't watch {}: {}", path, reason(error));
  complaints().say("Failed to watch {}; upper limit on inotify watches reached!", path);
  complaints().say(
      "Please increase the amount of inotify watches allowed per user via "
      "`/proc/sys/fs/inotify/max_user_watches'.");
}

int Program::wait_for_events() {
  using Clock = std::chrono::steady_clock;
  Printer printer(options_, filter_, format_, *output_, log_);
  const Clock::time_point start = Clock::now();
  for (;;) {
    std::optional<std::chrono::nanoseconds> timeout = options_.timeout;
    if (options_.total_timeout) {
      const auto left = *options_.total_timeout - (Clock::now() - start);
      if (left <= left.zero()) return timed_out;
      if (!timeout || left < *timeout) timeout = left;
    }
    const Result<Watcher::Wait> waited = watcher_->wait(timeout, printer);
    output_->flush();
    if (printer.status()) return *printer.status();
    if (!waited) {
      log_.say("{}: {}: {}", log_.program(), waited.error().call, reason(waited.error()));
      return failure;
    }
    if (*waited == Watcher::Wait::timed_out) return timed_out;
  }
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
  return notify_tools::inotifywait::start(argc, argv);
}
