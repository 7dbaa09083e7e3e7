// SPDX-License-Identifier: GPL-2.0-or-later
#include "inotifywatch/options.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace notify_core;
using namespace notify_tools;
using namespace notify_tools::inotifywatch;

namespace {

Reading read(std::vector<const char*> arguments, std::string_view program = "inotifywatch") {
  arguments.insert(arguments.begin(), "inotifywatch");
  return read_options(read_command_line(option_specs(), arguments, false), program);
}

std::string said(std::vector<const char*> arguments) {
  std::string lines;
  for (const std::string& line : read(std::move(arguments)).complaints) lines += line + "\n";
  return lines;
}

bool sorts(std::vector<const char*> arguments, EventMask bits, bool ascending) {
  const Reading reading = read(std::move(arguments));
  return reading.complaints.empty() && reading.options.sort.bits == bits &&
         reading.options.sort.ascending == ascending;
}

}  // namespace

TEST_CASE("defaults") {
  const Options options = read({"d"}).options;
  CHECK(options.backend == Backend::inotify);
  CHECK(options.events == mask::all_events);
  CHECK(options.follow_symlinks);
  CHECK(options.timeout == 0);
  CHECK(options.operands == std::vector<std::string>{"d"});
  CHECK(read({"d"}, "fsnotifywatch").options.backend == Backend::fanotify);
  CHECK(read({"-I", "d"}, "fsnotifywatch").options.backend == Backend::inotify);
  CHECK(read({"-S", "d"}).options.backend == Backend::fanotify_filesystem);
  CHECK(read({"-S", "-F", "d"}).options.backend == Backend::fanotify_filesystem);
  CHECK(read({"-S", "-I", "d"}).options.backend == Backend::inotify);
}

TEST_CASE("events add up; an empty name takes its list back") {
  CHECK(read({"-e", "create", "-e", "MODIFY,open"}).options.events ==
        (mask::create | mask::modify | mask::open));
  CHECK(read({"-e", "create,", "-e", "open"}).options.events == mask::open);
  CHECK(read({"-e", ",bogus"}).options.events == mask::all_events);
  CHECK(read({"-e", ""}).options.events == mask::all_events);
  CHECK(said({"-e", "create, open"}) ==
        "'create, open' is not a valid event!  Run with the '--help' option to see a list of events.\n");
}

TEST_CASE("timeouts are whole seconds, modulo 2 to the 32nd") {
  CHECK(read({"-t", "010"}).options.timeout == 10);
  CHECK(read({"-t", " 1"}).options.timeout == 1);
  CHECK(read({"-t", "-1"}).options.timeout == 4294967295U);
  CHECK(read({"-t", "4294967297"}).options.timeout == 1);
  CHECK(said({"-t=5"}) == "'=5' is not a valid timeout value.\nPlease specify a long int value.\n");
  CHECK(said({"-t", ""}) ==
        "The provided value is not a valid timeout value.\nPlease specify a long int value.\n");
  CHECK(said({"-t", "99999999999999999999999"}) ==
        "Something went wrong with the timeout value you provided.\nNumerical result out of range\n");
}

TEST_CASE("sort keys") {
  CHECK(sorts({}, 0, false));
  CHECK(sorts({"-a", "Total"}, 0, true));
  CHECK(sorts({"-d", "total"}, 0, false));
  CHECK(sorts({"-a", "access"}, mask::access, true));
  CHECK(sorts({"-d", "access"}, 0, false));
  CHECK(sorts({"-d", "access", "-e", "open"}, 0, false));
  CHECK(sorts({"-d", "open"}, mask::open, false));
  CHECK(sorts({"-d", ""}, 0, true));
  CHECK(sorts({"-d", "open,"}, 0, true));
  CHECK(sorts({"-d", "create,delete"}, mask::create | mask::remove, false));
  CHECK(sorts({"-d", "close"}, mask::close, false));
  CHECK(sorts({"-a", "all_events"}, mask::all_events, true));
  CHECK(sorts({"-d", "open", "-d", "create", "-a", "modify"}, mask::modify, true));
  CHECK(said({"-a", "bogus", "-e", "bogus"}) == "'bogus' is not a valid key for sorting!\n");
  CHECK(said({"-a", "move"}) == "Cannot sort by `move' event; please use `moved_from' or `moved_to'.\n");
  CHECK(said({"-a", "close"}) ==
        "Cannot sort by `close' event; please use `close_write' or `close_nowrite'.\n");
  CHECK(said({"-a", "", "-d", "open"}) == "Please specify -a or -d once only!\n");
  CHECK(said({"-a", "unmount"}) == "Can't sort by an event which isn't being watched for!\n");
}

TEST_CASE("what is wrong is said in the order of inotify-tools") {
  CHECK(said({"-t", "x", "-e", "bogus"}) ==
        "'x' is not a valid timeout value.\nPlease specify a long int value.\n");
  CHECK(said({"-Z", "-t", "x"}) == "inotifywatch: invalid option -- 'Z'\n");
  CHECK(said({"-a", "open", "-e", "create", "-Z"}) ==
        "inotifywatch: invalid option -- 'Z'\nCan't sort by an event which isn't being watched for!\n");
  CHECK(said({"--exclude", "a", "--excludei", "b", "--include", "c"}) ==
        "--exclude and --excludei cannot both be specified.\n");
  CHECK(said({"--include", "a", "--includei", "b", "--exclude", "c"}) ==
        "--include and --includei cannot both be specified.\n");
  CHECK(said({"--exclude", "a", "--includei", "b"}) ==
        "include and exclude regexp cannot both be specified.\n");
  CHECK(said({"--fromfile", "a", "--fromfile", "b"}) == "Multiple --fromfile options given.\n");
}

TEST_CASE("patterns") {
  const auto pattern = read({"--include", "a", "--include", "b,c"}).options.pattern;
  REQUIRE(pattern);
  CHECK(pattern->text == "b,c");
  CHECK(pattern->shows == Filter::Shows::matching);
  CHECK_FALSE(pattern->ignore_case);
  CHECK(read({"--excludei", "a"}).options.pattern->ignore_case);
}

TEST_CASE("help lists every option") {
  const std::string help = help_text("inotifywatch", "1.2");
  for (const OptionSpec& spec : option_specs()) {
    CAPTURE(spec.name);
    CHECK(help.find("--" + std::string(spec.name)) != std::string::npos);
  }
}

TEST_CASE("help comes at once") {
  CHECK(read({"-hZ"}).help);
  CHECK_FALSE(read({"-Zh"}).help);
  CHECK(help_text("fsnotifywatch", "1.2")
            .starts_with("fsnotifywatch 1.2\nGather filesystem usage statistics using "));
  CHECK(help_text("fsnotifywatch", "1.2").find("omitted or zero, fsnotifywatch will") != std::string::npos);
}

TEST_CASE("what inotify-tools does not have") {
  using namespace std::chrono_literals;
  const Options options =
      read({"--json", "--top", "5", "--by", "event", "--rates", "--interval", "0.5"}).options;
  CHECK(options.output == Output::json);
  CHECK(options.top == 5);
  CHECK(options.by == By::event);
  CHECK(options.rates);
  CHECK(options.interval == 500ms);
  CHECK(said({"--json", "--csv"}) == "--json and --csv cannot both be specified.\n");
  for (const char* bad : {"", "0", "-1", "x", "1x", "nan", "inf", "1e99"}) {
    CAPTURE(bad);
    CHECK_FALSE(said({"--interval", bad}).empty());
  }
  for (const char* bad : {"", "0", "-1", "x", "1.5", "99999999999999999999999"}) {
    CAPTURE(bad);
    CHECK_FALSE(said({"--top", bad}).empty());
  }
  CHECK_FALSE(said({"--by", "path"}).empty());
}

TEST_CASE("the names of the additions take no abbreviation away") {
  CHECK(read({"--t", "5"}).options.timeout == 5);
  CHECK(said({"--in", "x"}) ==
        "inotifywatch: option '--in' is ambiguous; possibilities: '--inotify' '--include' '--includei'\n");
  CHECK(read({"--js"}).options.output == Output::json);
}
