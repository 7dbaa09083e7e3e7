// SPDX-License-Identifier: GPL-2.0-or-later
#include "inotifywait/options.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "common/event_list.hpp"
#include "common/seconds.hpp"

namespace notify_tools::inotifywait {

using namespace notify_core;

namespace {

// Goes through the options in the order given, as getopt's callers do: the first that ends the program does
// so before later ones are looked at.
class Reader {
 public:
  Reading reading;

  explicit Reader(std::string_view program) : program_(program), fanotify_(program.starts_with("fsnotify")) {}

  void read(const CommandLine& line) {
    for (const cxxopts::KeyValue& occurrence : line.options.arguments()) {
      take(occurrence.key(), occurrence.value());
      if (ended()) return;
    }
    if (!line.error.empty()) complain(line.error);
    warn_of_forgotten_patterns();
    check_conflicts();
    finish();
    reading.options.operands = line.operands;
  }

 private:
  struct Handler {
    std::string_view option;
    void (*take)(Reader&, Options&, const std::string& value);
  };
  static const Handler handlers[];

  bool ended() const { return reading.help || !reading.complaints.empty(); }
  void complain(std::string line) { reading.complaints.push_back(std::move(line)); }
  // Of options that inotify-tools does not have: nobody waits for these very words, so they say whose they
  // are.
  std::string ours(std::string_view words) const { return fmt::format("{}: {}", program_, words); }

  void take(std::string_view option, const std::string& value) {
    ++seen_[index_of(option)];
    const Handler* handler = handler_of(option);
    if (handler != nullptr) handler->take(*this, reading.options, value);
  }

  static const Handler* handler_of(std::string_view option);

  static std::size_t index_of(std::string_view option) {
    return static_cast<std::size_t>(std::ranges::find(option_specs(), option, &OptionSpec::name) -
                                    option_specs().begin());
  }

  std::size_t seen(std::string_view option) const { return seen_[index_of(option)]; }

  void take_events(const std::string& value) {
    const std::optional<EventMask> events = parse_event_list(value);
    if (!events) {
      return complain(fmt::format(
          "'{}' is not a valid event!  Run with the '--help' option to see a list of events.", value));
    }
    events_ |= *events;
  }

  void take_timeout(const std::string& value) {
    const Seconds seconds = parse_seconds(value);
    if (seconds.state == Seconds::State::out_of_range) {
      complain("Something went wrong with the timeout value you provided.");
      return complain("Numerical result out of range");
    }
    if (seconds.state == Seconds::State::not_a_number) {
      complain(value.empty() ? "The provided value is not a valid timeout value."
                             : fmt::format("'{}' is not a valid timeout value.", value));
      return complain("Please specify a long int value.");
    }
    reading.options.negative_timeout = seconds.negative && seconds.value.count() != 0;
    reading.options.timeout.reset();
    if (seconds.value.count() != 0) reading.options.timeout = seconds.value;
  }

  void take_seconds(std::optional<std::chrono::nanoseconds>& length, const std::string& value,
                    std::string_view option) {
    const Seconds seconds = parse_seconds(value);
    if (seconds.state != Seconds::State::good || seconds.negative || seconds.value.count() == 0) {
      return complain(ours(fmt::format("--{}: '{}' is no number of seconds above 0.", option, value)));
    }
    length = seconds.value;
  }

  void take_count(const std::string& value) {
    const char* const end = value.data() + value.size();
    const auto parsed = std::from_chars(value.data(), end, reading.options.count);
    if (parsed.ec == std::errc() && parsed.ptr == end && reading.options.count != 0) return;
    complain(ours(fmt::format("--count: '{}' is no number of events above 0.", value)));
  }

  void take_process(const std::string& value) {
    std::int32_t process = 0;
    const char* const end = value.data() + value.size();
    const auto parsed = std::from_chars(value.data(), end, process);
    if (parsed.ec != std::errc() || parsed.ptr != end || process <= 0) {
      return complain(ours(fmt::format("--ignore-pid: '{}' is no process number.", value)));
    }
    reading.options.ignored_processes.push_back(process);
  }

  void take_once(std::optional<std::string>& file, const std::string& value, std::string_view option) {
    if (file) return complain(fmt::format("Multiple --{} options given.", option));
    file = value;
  }

  void take_pattern(const std::string& text, Filter::Shows shows, bool ignore_case) {
    reading.options.patterns.push_back({text, shows, ignore_case, false});
  }

  void warn_of_forgotten_patterns() {
    if (seen("all-patterns")) return;
    for (const std::string_view option : {"exclude", "excludei"}) {
      if (seen(option) < 2) continue;
      reading.warnings.push_back(
          fmt::format("--{}: only the last option will be taken into consideration.", option));
    }
  }

  // At most one of them is said, and no warning beside it.
  void check_conflicts() {
    const std::string conflict = find_conflict();
    if (conflict.empty()) return;
    complain(conflict);
    reading.warnings.clear();
  }

  std::string find_pattern_conflict() const {
    if (seen("all-patterns")) return {};
    const bool exclude = seen("exclude") + seen("excludei") != 0;
    const bool include = seen("include") + seen("includei") != 0;
    if (seen("exclude") && seen("excludei")) return "--exclude and --excludei cannot both be specified.";
    if (seen("include") && seen("includei")) return "--include and --includei cannot both be specified.";
    if (exclude && include) return "include and exclude regexp cannot both be specified.";
    return {};
  }

  std::string find_conflict() const {
    if (const std::string conflict = find_pattern_conflict(); !conflict.empty()) return conflict;
    const std::string& format = reading.options.format;
    if (seen("format") && seen("csv")) return "-c and --format cannot both be specified.";
    if (!seen("format") && seen("no-newline")) return "--no-newline cannot be specified without --format.";
    if (!seen("format") && seen("timefmt")) return "--timefmt cannot be specified without --format.";
    if (format.find("%T") != std::string::npos && !seen("timefmt")) {
      return "%T is in --format string, but --timefmt was not specified.";
    }
    if (seen("daemon") && !seen("outfile")) return "-o must be specified with -d.";
    const std::string conflict = find_conflict_of_ours();
    return conflict.empty() ? conflict : ours(conflict);
  }

  std::string find_conflict_of_ours() const {
    if (seen("json") && (seen("format") || seen("csv")))
      return "--json cannot be specified with --format or -c.";
    for (const std::string_view option : {"ignore-pid", "ignore-program"}) {
      if (seen(option) && !fanotify_)
        return fmt::format("--{} needs --fanotify: inotify does not tell who did it.", option);
    }
    if (seen("below") && !filesystem_) return "--below needs --filesystem.";
    if (seen("null") && seen("no-newline")) return "--null and --no-newline cannot both be specified.";
    if (seen("follow-name") && seen("recursive")) return "--follow-name and -r cannot both be specified.";
    return {};
  }

  void finish() {
    Options& options = reading.options;
    std::vector<Filter::Pattern>& patterns = options.patterns;
    if (!seen("all-patterns") && patterns.size() > 1) patterns.erase(patterns.begin(), patterns.end() - 1);
    for (Filter::Pattern& pattern : patterns) pattern.glob = seen("glob") != 0;
    if (events_ != 0) options.events = events_;
    if (options.pair_moves && (options.events & mask::move) != 0) options.events |= mask::move;
    if (options.count != 0) options.monitor = true;
    if (fanotify_) options.backend = filesystem_ ? Backend::fanotify_filesystem : Backend::fanotify;
    if (seen("null")) options.ending.assign(1, '\0');
    if (seen("no-newline")) options.ending.clear();
  }

  std::vector<std::size_t> seen_ = std::vector<std::size_t>(option_specs().size());  // by position in specs
  EventMask events_ = 0;
  std::string_view program_;
  bool fanotify_ = false;
  bool filesystem_ = false;
};

constexpr Reader::Handler Reader::handlers[] = {
    {"help", [](Reader& r, Options&, const std::string&) { r.reading.help = true; }},
    {"event", [](Reader& r, Options&, const std::string& value) { r.take_events(value); }},
    {"monitor", [](Reader&, Options& o, const std::string&) { o.monitor = true; }},
    {"quiet", [](Reader&, Options& o, const std::string&) { o.quiet = std::min(o.quiet + 1, 2); }},
    {"timeout", [](Reader& r, Options&, const std::string& value) { r.take_timeout(value); }},
    {"filename",
     [](Reader& r, Options&, const std::string&) {
       r.complain("The '--filename' option no longer exists.  The option it enabled in earlier");
       r.complain("versions of inotifywait is now turned on by default.");
     }},
    {"recursive", [](Reader&, Options& o, const std::string&) { o.recursive = true; }},
    {"inotify", [](Reader& r, Options&, const std::string&) { r.fanotify_ = false; }},
    {"fanotify", [](Reader& r, Options&, const std::string&) { r.fanotify_ = true; }},
    {"filesystem", [](Reader& r, Options&, const std::string&) { r.fanotify_ = r.filesystem_ = true; }},
    {"csv", [](Reader&, Options& o, const std::string&) { o.style = Style::csv; }},
    {"daemon", [](Reader&, Options& o, const std::string&) { o.daemon = o.monitor = o.syslog = true; }},
    {"syslog", [](Reader&, Options& o, const std::string&) { o.syslog = true; }},
    {"no-dereference", [](Reader&, Options& o, const std::string&) { o.follow_symlinks = false; }},
    {"format",
     [](Reader&, Options& o, const std::string& value) {
       o.style = Style::format;
       o.format = value;
     }},
    {"timefmt", [](Reader&, Options& o, const std::string& value) { o.time_format = value; }},
    {"fromfile",
     [](Reader& r, Options& o, const std::string& value) { r.take_once(o.from_file, value, "fromfile"); }},
    {"outfile",
     [](Reader& r, Options& o, const std::string& value) { r.take_once(o.out_file, value, "outfile"); }},
    {"exclude",
     [](Reader& r, Options&, const std::string& value) {
       r.take_pattern(value, Filter::Shows::not_matching, false);
     }},
    {"excludei",
     [](Reader& r, Options&, const std::string& value) {
       r.take_pattern(value, Filter::Shows::not_matching, true);
     }},
    {"include",
     [](Reader& r, Options&, const std::string& value) {
       r.take_pattern(value, Filter::Shows::matching, false);
     }},
    {"includei",
     [](Reader& r, Options&, const std::string& value) { r.take_pattern(value, Filter::Shows::matching, true); }},
    {"no-recover", [](Reader&, Options& o, const std::string&) { o.recover = false; }},
    {"json", [](Reader&, Options& o, const std::string&) { o.style = Style::json; }},
    {"count", [](Reader& r, Options&, const std::string& value) { r.take_count(value); }},
    {"total-timeout",
     [](Reader& r, Options& o, const std::string& value) {
       r.take_seconds(o.total_timeout, value, "total-timeout");
     }},
    {"settle",
     [](Reader& r, Options& o, const std::string& value) { r.take_seconds(o.settle, value, "settle"); }},
    {"below", [](Reader&, Options& o, const std::string&) { o.below = true; }},
    {"ignore-pid", [](Reader& r, Options&, const std::string& value) { r.take_process(value); }},
    {"ignore-program",
     [](Reader&, Options& o, const std::string& value) { o.ignored_programs.push_back(value); }},
    {"pair-moves", [](Reader&, Options& o, const std::string&) { o.pair_moves = true; }},
    {"follow-name", [](Reader&, Options& o, const std::string&) { o.follow_name = true; }},
    {"end-when-gone", [](Reader&, Options& o, const std::string&) { o.end_when_gone = true; }},
};

const Reader::Handler* Reader::handler_of(std::string_view option) {
  const auto found = std::ranges::find(handlers, option, &Handler::option);
  return found == std::end(handlers) ? nullptr : &*found;
}

}  // namespace

Reading read_options(const CommandLine& line, std::string_view program) {
  Reader reader(program);
  reader.read(line);
  return std::move(reader.reading);
}

}  // namespace notify_tools::inotifywait
