// SPDX-License-Identifier: GPL-2.0-or-later
#include "inotifywatch/options.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <string>

#include "common/event_list.hpp"

namespace notify_tools::inotifywatch {

using namespace notify_core;

namespace {

// In the order of getopt's long options, in which it names the candidates of an ambiguous abbreviation.
constexpr std::array<OptionSpec, 23> specs{{
    {"help", 'h', Argument::none, "-h|--help    \tShow this help text."},
    {"event", 'e', Argument::required,
     "-e|--event <event1> [ -e|--event <event2> ... ]\n"
     "\t\tListen for specific event(s).  If omitted, all events are \n"
     "\t\tlistened for."},
    {"verbose", 'v', Argument::none,
     "-v|--verbose \tBe verbose.\n"
     "\t@<file>       \tExclude the specified file from being watched."},
    {"inotify", 'I', Argument::none, "-I|--inotify\tWatch with inotify."},
    {"fanotify", 'F', Argument::none, "-F|--fanotify\tWatch with fanotify."},
    {"filesystem", 'S', Argument::none, "-S|--filesystem\tWatch entire filesystem with fanotify."},
    {"fromfile", 0, Argument::required,
     "--fromfile <file>\n"
     "\t\tRead files to watch from <file> or `-' for stdin."},
    {"exclude", 0, Argument::required,
     "--exclude <pattern>\n"
     "\t\tExclude all events on files matching the extended regular\n"
     "\t\texpression <pattern>."},
    {"excludei", 0, Argument::required,
     "--excludei <pattern>\n"
     "\t\tLike --exclude but case insensitive."},
    {"include", 0, Argument::required,
     "--include <pattern>\n"
     "\t\tExclude all events on files except the ones\n"
     "\t\tmatching the extended regular expression\n"
     "\t\t<pattern>."},
    {"includei", 0, Argument::required,
     "--includei <pattern>\n"
     "\t\tLike --include but case insensitive."},
    {"zero", 'z', Argument::none,
     "-z|--zero\n"
     "\t\tIn the final table of results, output rows and columns even\n"
     "\t\tif they consist only of zeros (the default is to not output\n"
     "\t\tthese rows and columns)."},
    {"recursive", 'r', Argument::none, "-r|--recursive\tWatch directories recursively."},
    {"no-dereference", 'P', Argument::none,
     "-P|--no-dereference\n"
     "\t\tDo not follow symlinks."},
    {"timeout", 't', Argument::required,
     "-t|--timeout <seconds>\n"
     "\t\tListen only for specified amount of time in seconds; if\n"
     "\t\tomitted or zero, {} will execute until receiving an\n"
     "\t\tinterrupt signal."},
    {"ascending", 'a', Argument::required,
     "-a|--ascending <event>\n"
     "\t\tSort ascending by a particular event, or `total'."},
    {"descending", 'd', Argument::required,
     "-d|--descending <event>\n"
     "\t\tSort descending by a particular event, or `total'."},
    {"top", 0, Argument::required,
     "--top <rows>\n"
     "\t\tOutput only the first rows.",
     true},
    {"by", 0, Argument::required,
     "--by directory|extension|event\n"
     "\t\tOutput a row for each directory, for each extension of\n"
     "\t\tfile names or for each event, not for each watch.",
     true},
    {"rates", 0, Argument::none, "--rates      \tOutput a column of events a second.", true},
    {"interval", 0, Argument::required,
     "--interval <seconds>\n"
     "\t\tOutput what was counted in each period of so many seconds\n"
     "\t\tand begin again; on a terminal, in place.",
     true},
    {"json", 0, Argument::none, "--json       \tOutput one JSON object a line in place of tables.", true},
    {"csv", 0, Argument::none, "--csv        \tOutput comma-separated values in place of tables.", true},
}};

constexpr std::array<std::string_view, 23> order_of_help{
    "help",       "verbose", "fromfile", "exclude",    "excludei",       "include", "includei", "zero",
    "recursive",  "inotify", "fanotify", "filesystem", "no-dereference", "timeout", "event",    "ascending",
    "descending", "top",     "by",       "rates",      "interval",       "json",    "csv"};

bool same_word(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::ranges::equal(a, b, {}, lower, lower);
}

// An empty name makes its whole list say nothing; nothing said at all means all events.
std::optional<EventMask> parse_events(std::string_view list) {
  const std::optional<EventMask> bits = parse_event_list(list);
  const bool says_nothing =
      list.empty() || list.front() == ',' || list.back() == ',' || list.find(",,") != std::string_view::npos;
  return bits && says_nothing ? 0 : bits;
}

// Reads the options one after the other, as far as the first that cannot be.
class OptionReader {
 public:
  explicit OptionReader(std::string_view program) {
    if (program.starts_with("fsnotify")) reading.options.backend = Backend::fanotify;
  }

  // False: do not go on.
  bool take(const std::string& name, const std::string& value) {
    Options& options = reading.options;
    if (name == "help") reading.help = true;
    if (name == "verbose") options.verbose = true;
    if (name == "zero") options.zero = true;
    if (name == "recursive") options.recursive = true;
    if (name == "no-dereference") options.follow_symlinks = false;
    if (name == "inotify") options.backend = Backend::inotify;
    if (name == "filesystem") filesystem_ = true;
    if (name == "fanotify" || name == "filesystem")
      options.backend = filesystem_ ? Backend::fanotify_filesystem : Backend::fanotify;
    if (name == "rates") options.rates = true;
    if (name == "fromfile") take_from_file(value);
    if (name == "timeout") take_timeout(value);
    if (name == "event") take_events(value);
    if (name == "ascending") take_sort(value, true);
    if (name == "descending") take_sort(value, false);
    if (name == "exclude") exclude_ = {value, Filter::Shows::not_matching, false};
    if (name == "excludei") excludei_ = {value, Filter::Shows::not_matching, true};
    if (name == "include") include_ = {value, Filter::Shows::matching, false};
    if (name == "includei") includei_ = {value, Filter::Shows::matching, true};
    if (name == "json") take_output(Output::json);
    if (name == "csv") take_output(Output::csv);
    if (name == "top") take_top(value);
    if (name == "by") take_by(value);
    if (name == "interval") take_interval(value);
    return !reading.help && reading.complaints.empty();
  }

  // What only all options together show.
  void check() {
    Options& options = reading.options;
    if (events_ != 0) options.events = events_;
    if (options.sort.bits != 0 && (options.sort.bits & options.events) == 0) {
      complain("Can't sort by an event which isn't being watched for!");
    } else if (exclude_ && excludei_) {
      complain("--exclude and --excludei cannot both be specified.");
    } else if (include_ && includei_) {
      complain("--include and --includei cannot both be specified.");
    } else if ((exclude_ || excludei_) && (include_ || includei_)) {
      complain("include and exclude regexp cannot both be specified.");
    }
    for (auto* pattern : {&exclude_, &excludei_, &include_, &includei_}) {
      if (*pattern) options.pattern = **pattern;
    }
  }

  void complain(std::string line) { reading.complaints.push_back(std::move(line)); }

  Reading reading;

 private:
  void take_from_file(const std::string& value) {
    if (reading.options.from_file) return complain("Multiple --fromfile options given.");
    reading.options.from_file = value;
  }

  void take_timeout(const std::string& value) {
    char* end = nullptr;
    errno = 0;
    const long seconds = std::strtol(value.c_str(), &end, 10);
    if (value.empty() || *end != '\0') {
      if (value.empty()) complain("The provided value is not a valid timeout value.");
      if (!value.empty()) complain(fmt::format("'{}' is not a valid timeout value.", value));
      complain("Please specify a long int value.");
    } else if (errno != 0) {
      complain("Something went wrong with the timeout value you provided.");
      complain(std::strerror(errno));
    }
    reading.options.timeout = static_cast<std::uint32_t>(seconds);
  }

  void take_events(const std::string& value) {
    const std::optional<EventMask> bits = parse_events(value);
    if (!bits) {
      return complain(fmt::format(
          "'{}' is not a valid event!  Run with the '--help' option to see a list of events.", value));
    }
    events_ |= *bits;
  }

  // Scripts may lean on it: an empty list is the total, always ascending; --descending access is the default
  // order; --ascending must be the last of both.
  void take_sort(const std::string& value, bool ascending) {
    if (ascending_given_) return complain("Please specify -a or -d once only!");
    ascending_given_ = ascending;
    SortKey& sort = reading.options.sort;
    if (same_word(value, "total")) {
      sort = {0, ascending};
      return;
    }
    const std::optional<EventMask> bits = parse_events(value);
    if (!bits) return complain(fmt::format("'{}' is not a valid key for sorting!", value));
    if (ascending && *bits == mask::move) {
      return complain("Cannot sort by `move' event; please use `moved_from' or `moved_to'.");
    }
    if (ascending && *bits == mask::close) {
      return complain("Cannot sort by `close' event; please use `close_write' or `close_nowrite'.");
    }
    sort = {*bits, ascending || *bits == 0};
    if (!ascending && *bits == mask::access) sort.bits = 0;
  }

  void take_output(Output output) {
    if (reading.options.output != Output::table && reading.options.output != output) {
      return complain("--json and --csv cannot both be specified.");
    }
    reading.options.output = output;
  }

  void take_top(const std::string& value) {
    const char* end = value.data() + value.size();
    const auto [stopped, error] = std::from_chars(value.data(), end, reading.options.top);
    if (error == std::errc() && stopped == end && reading.options.top > 0) return;
    complain(
        fmt::format("'{}' is not a valid number of rows; please specify a whole number above zero.", value));
  }

  void take_by(const std::string& value) {
    By& by = reading.options.by;
    if (same_word(value, "directory"))
      by = By::directory;
    else if (same_word(value, "extension"))
      by = By::extension;
    else if (same_word(value, "event"))
      by = By::event;
    else
      complain(fmt::format(
          "'{}' is not what rows can be grouped by; please specify directory, extension or event.", value));
  }

  void take_interval(const std::string& value) {
    constexpr double shortest = 0.01, longest = 1e9;
    double seconds = 0;
    const char* end = value.data() + value.size();
    const auto [stopped, error] = std::from_chars(value.data(), end, seconds);
    if (error != std::errc() || stopped != end || !(seconds >= shortest && seconds <= longest)) {
      return complain(
          fmt::format("'{}' is not a valid interval; please specify seconds, at least {}.", value, shortest));
    }
    reading.options.interval = std::chrono::nanoseconds(std::llround(seconds * 1e9));
  }

  EventMask events_ = 0;
  bool ascending_given_ = false;
  bool filesystem_ = false;
  std::optional<Pattern> exclude_, excludei_, include_, includei_;
};

}  // namespace

std::span<const OptionSpec> option_specs() {
  return specs;
}

Reading read_options(const CommandLine& line, std::string_view program) {
  OptionReader reader(program);
  for (const cxxopts::KeyValue& option : line.options.arguments()) {
    if (!reader.take(option.key(), option.value())) return std::move(reader.reading);
  }
  if (!line.error.empty()) reader.complain(line.error);
  reader.check();
  reader.reading.options.operands = line.operands;
  return std::move(reader.reading);
}

std::string help_text(std::string_view program, std::string_view version) {
  std::vector<OptionSpec> listed;
  for (const std::string_view name : order_of_help)
    listed.push_back(*std::ranges::find(specs, name, &OptionSpec::name));
  std::string rows = option_rows(listed);
  const std::string_view hole = "{}";
  rows.replace(rows.find(hole), hole.size(), program);
  return fmt::format(
      "{0} {1}\n"
      "Gather filesystem usage statistics using {0}.\n"
      "Usage: {0} [ options ] file1 [ file2 ] [ ... ]\n"
      "Options:\n"
      "{2}\n"
      "Exit status:\n"
      "\t0  -  Exited normally.\n"
      "\t1  -  Some error occurred.\n"
      "\n"
      "Events:\n"
      "{3}",
      program, version, rows, event_rows());
}

}  // namespace notify_tools::inotifywatch
