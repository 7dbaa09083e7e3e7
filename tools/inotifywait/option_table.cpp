// SPDX-License-Identifier: GPL-2.0-or-later
// The one table of options, and --help, which is made of it.
#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "common/event_list.hpp"
#include "inotifywait/options.hpp"

namespace notify_tools::inotifywait {
namespace {

// In the order in which getopt names candidates. "inotifywait" in a row of help stands for the program's
// name.
constexpr OptionSpec specs[] = {
    {"help", 'h', Argument::none,
     "-h|--help     \tShow this help text.\n"
     "\t@<file>       \tExclude the specified file from being watched."},
    {"event", 'e', Argument::required,
     "-e|--event <event1> [ -e|--event <event2> ... ]\n"
     "\t\tListen for specific event(s).  If omitted, all events are \n"
     "\t\tlistened for."},
    {"monitor", 'm', Argument::none,
     "-m|--monitor  \tKeep listening for events forever or until --timeout expires.\n"
     "\t              \tWithout this option, inotifywait will exit after one event is received."},
    {"quiet", 'q', Argument::none,
     "-q|--quiet    \tPrint less (only print events).\n"
     "\t-qq           \tPrint nothing (not even events)."},
    {"timeout", 't', Argument::required,
     "-t|--timeout <seconds>\n"
     "\t              \tWhen listening for a single event, time out after\n"
     "\t              \twaiting for an event for <seconds> seconds.\n"
     "\t              \tIf <seconds> is zero, inotifywait will never time out."},
    {"filename", 'f', Argument::none, ""},
    {"recursive", 'r', Argument::none, "-r|--recursive\tWatch directories recursively."},
    {"inotify", 'I', Argument::none, "-I|--inotify  \tWatch with inotify, the default."},
    {"fanotify", 'F', Argument::none, "-F|--fanotify \tWatch with fanotify."},
    {"filesystem", 'S', Argument::none,
     "-S|--filesystem\n"
     "\t              \tWatch whole filesystems with fanotify."},
    {"csv", 'c', Argument::none, "-c|--csv      \tPrint events in CSV format."},
    {"daemon", 'd', Argument::none,
     "-d|--daemon   \tSame as --monitor, except run in the background\n"
     "\t              \tlogging events to a file specified by --outfile.\n"
     "\t              \tImplies --syslog."},
    {"syslog", 's', Argument::none, "-s|--syslog   \tSend errors to syslog rather than stderr."},
    {"no-dereference", 'P', Argument::none,
     "-P|--no-dereference\n"
     "\t              \tDo not follow symlinks."},
    {"format", 0, Argument::required,
     "--format <fmt>\tPrint using a specified printf-like format\n"
     "\t              \tstring; read the man page for more details."},
    {"no-newline", 0, Argument::none,
     "--no-newline  \tDon't print newline symbol after\n"
     "\t              \t--format string."},
    {"timefmt", 0, Argument::required,
     "--timefmt <fmt>\tstrftime-compatible format string for use with\n"
     "\t              \t%T in --format string."},
    {"fromfile", 0, Argument::required,
     "--fromfile <file>\n"
     "\t              \tRead files to watch from <file> or `-' for stdin."},
    {"outfile", 'o', Argument::required,
     "-o|--outfile <file>\n"
     "\t              \tPrint events to <file> rather than stdout."},
    {"exclude", 0, Argument::required,
     "--exclude <pattern>\n"
     "\t              \tExclude all events on files matching the\n"
     "\t              \textended regular expression <pattern>.\n"
     "\t              \tOnly the last --exclude option will be\n"
     "\t              \ttaken into consideration."},
    {"excludei", 0, Argument::required,
     "--excludei <pattern>\n"
     "\t              \tLike --exclude but case insensitive."},
    {"include", 0, Argument::required,
     "--include <pattern>\n"
     "\t              \tExclude all events on files except the ones\n"
     "\t              \tmatching the extended regular expression\n"
     "\t              \t<pattern>."},
    {"includei", 0, Argument::required,
     "--includei <pattern>\n"
     "\t              \tLike --include but case insensitive."},
    {"no-recover", 0, Argument::none,
     "--no-recover  \tPrint only what the kernel said, not what was found in\n"
     "\t              \tdirectories created a moment ago.",
     true},
    {"json", 0, Argument::none, "--json        \tPrint events as JSON, one object a line.", true},
    {"null", '0', Argument::none, "-0|--null     \tEnd each event with a NUL byte instead of a newline.",
     true},
    {"count", 0, Argument::required, "--count <n>   \tExit after <n> events.", true},
    {"total-timeout", 0, Argument::required,
     "--total-timeout <seconds>\n"
     "\t              \tExit after <seconds> seconds, whatever happened.",
     true},
    {"settle", 0, Argument::required,
     "--settle <seconds>\n"
     "\t              \tPrint one event a path, once nothing has happened to it\n"
     "\t              \tfor <seconds> seconds.",
     true},
    {"pair-moves", 0, Argument::none,
     "--pair-moves  \tPrint a rename as one event; %o in --format is the old\n"
     "\t              \tpath.",
     true},
    {"follow-name", 0, Argument::none,
     "--follow-name \tWatch the names of the files, whatever file bears them.", true},
    {"end-when-gone", 0, Argument::none,
     "--end-when-gone\n"
     "\t              \tExit when all that was watched is gone.",
     true},
    {"all-patterns", 0, Argument::none,
     "--all-patterns\tTake every --exclude and --include into consideration.", true},
    {"below", 0, Argument::none, "--below       \tWith --filesystem: only what lies below the operands.",
     true},
    {"ignore-pid", 0, Argument::required,
     "--ignore-pid <pid>\n"
     "\t              \tWith fanotify: nothing that this process does.",
     true},
    {"ignore-program", 0, Argument::required,
     "--ignore-program <name>\n"
     "\t              \tWith fanotify: nothing that programs of this name do.",
     true},
    {"glob", 0, Argument::none, "--glob        \tPatterns are globs of path components: *.o, src/**/gen.",
     true},
};

constexpr std::string_view help_order[] = {
    "help",          "exclude",      "excludei",      "include", "includei",       "monitor",
    "inotify",       "fanotify",     "filesystem",    "daemon",  "no-dereference", "recursive",
    "fromfile",      "outfile",      "syslog",        "quiet",   "format",         "no-newline",
    "timefmt",       "csv",          "timeout",       "event",   "no-recover",     "json",
    "null",          "count",        "total-timeout", "settle",  "pair-moves",     "follow-name",
    "end-when-gone", "all-patterns", "glob",          "below",   "ignore-pid",     "ignore-program"};

constexpr std::string_view exit_statuses =
    "\nExit status:\n"
    "\t0  -  An event you asked to watch for was received.\n"
    "\t1  -  An event you did not ask to watch for was received\n"
    "\t      (usually delete_self or unmount), or some error occurred.\n"
    "\t2  -  The --timeout option was given and no events occurred\n"
    "\t      in the specified interval of time.\n";

std::string with_program(std::string text, std::string_view program) {
  constexpr std::string_view placeholder = "inotifywait";
  for (std::size_t at = text.find(placeholder); at != std::string::npos;
       at = text.find(placeholder, at + program.size())) {
    text.replace(at, placeholder.size(), program);
  }
  return text;
}

}  // namespace

std::span<const OptionSpec> option_specs() {
  return specs;
}

std::string help_text(std::string_view program, std::string_view version) {
  std::vector<OptionSpec> rows;
  for (const std::string_view name : help_order)
    rows.push_back(*std::ranges::find(specs, name, &OptionSpec::name));
  return fmt::format(
      "{0} {1}\n"
      "Wait for a particular event on a file or set of files.\n"
      "Usage: {0} [ options ] file1 [ file2 ] [ file3 ] [ ... ]\n"
      "Options:\n{2}{3}\nEvents:\n{4}",
      program, version, with_program(option_rows(rows), program), exit_statuses, event_rows());
}

}  // namespace notify_tools::inotifywait
