// SPDX-License-Identifier: GPL-2.0-or-later
#include "inotifywait/options.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <initializer_list>

using namespace notify_core;
using namespace notify_tools;
using namespace notify_tools::inotifywait;
using namespace std::chrono_literals;
using Lines = std::vector<std::string>;

namespace {

Reading read(std::initializer_list<const char*> words, std::string_view program = "inotifywait") {
  std::vector<const char*> arguments{"inotifywait"};
  arguments.insert(arguments.end(), words);
  return read_options(read_command_line(option_specs(), arguments, false), program);
}

}  // namespace

TEST_CASE("nothing asked for: one event of any kind") {
  const Reading reading = read({"a", "b"});
  CHECK(reading.complaints.empty());
  CHECK(reading.options.events == mask::all_events);
  CHECK_FALSE(reading.options.monitor);
  CHECK(reading.options.operands == Lines{"a", "b"});
  CHECK(reading.options.ending == "\n");
}

TEST_CASE("events add up") {
  CHECK(read({"-e", "create", "-e", "DELETE,modify"}).options.events ==
        (mask::create | mask::remove | mask::modify));
}

TEST_CASE("an empty event says nothing: all events where nothing else is said") {
  CHECK(read({"-e", "", "-e", "create,"}).options.events == mask::all_events);
  CHECK(read({"-e", "create", "-e", ""}).options.events == mask::create);
}

TEST_CASE("quiet and quieter") {
  CHECK(read({"-q"}).options.quiet == 1);
  CHECK(read({"-qqq"}).options.quiet == 2);
}

TEST_CASE("options are taken in order, and the first that ends the program does") {
  CHECK(read({"-hZ"}).help);
  CHECK_FALSE(read({"-Zh"}).help);
  CHECK(read({"-Z", "-e", "bogus"}).complaints == Lines{"inotifywait: invalid option -- 'Z'"});
  CHECK(read({"-e", "bogus", "-Z"}).complaints.front().starts_with("'bogus' is not a valid event!"));
  CHECK(read({"-f"}).complaints.size() == 2);
}

TEST_CASE("conflicts are looked for even after a bad option") {
  CHECK(read({"-dZ"}).complaints ==
        Lines{"inotifywait: invalid option -- 'Z'", "-o must be specified with -d."});
  CHECK(read({"-c", "--format", "x", "-d"}).complaints == Lines{"-c and --format cannot both be specified."});
  CHECK(read({"--format", "%%T"}).complaints ==
        Lines{"%T is in --format string, but --timefmt was not specified."});
  CHECK(read({"--format", "%T", "--timefmt", ""}).complaints.empty());
  CHECK(read({"--exclude", "a", "--include", "b"}).complaints ==
        Lines{"include and exclude regexp cannot both be specified."});
  CHECK(read({"-o", "a", "-o", "b"}).complaints == Lines{"Multiple --outfile options given."});
}

TEST_CASE("a forgotten pattern is warned of") {
  const Reading reading = read({"--exclude", "a", "--exclude", "b"});
  CHECK(reading.complaints.empty());
  CHECK(reading.warnings == Lines{"--exclude: only the last option will be taken into consideration."});
  CHECK(reading.options.patterns.size() == 1);
  CHECK(reading.options.patterns.front().text == "b");
  CHECK(read({"--include", "a", "--include", "b"}).warnings.empty());
  CHECK(read({"--exclude", "a", "--exclude", "b", "-d"}).warnings.empty());
}

TEST_CASE("timeouts") {
  CHECK(read({"-t", "5"}).options.timeout == 5s);
  CHECK(read({"-t", "0.5"}).options.timeout == 500ms);
  CHECK_FALSE(read({"-t", "5", "-t", "0"}).options.timeout.has_value());
  CHECK(read({"-t", "-1"}).options.negative_timeout);
  CHECK(read({"-t", ""}).complaints.front() == "The provided value is not a valid timeout value.");
  CHECK(read({"-t=5"}).complaints.front() == "'=5' is not a valid timeout value.");
  CHECK(read({"-t", "99999999999999999999"}).complaints.back() == "Numerical result out of range");
  CHECK(read({"--total-timeout", "1.5"}).options.total_timeout == 1500ms);
  CHECK_FALSE(read({"--total-timeout", "0"}).complaints.empty());
}

TEST_CASE("the backend, by option and by name") {
  CHECK(read({}).options.backend == Backend::inotify);
  CHECK(read({"-F"}).options.backend == Backend::fanotify);
  CHECK(read({"-S"}).options.backend == Backend::fanotify_filesystem);
  CHECK(read({"-F", "-I"}).options.backend == Backend::inotify);
  CHECK(read({}, "fsnotifywait").options.backend == Backend::fanotify);
  CHECK(read({"-I"}, "fsnotifywait").options.backend == Backend::inotify);
}

TEST_CASE("counts") {
  CHECK(read({"--count", "3"}).options.count == 3);
  for (const char* text : {"0", "-1", "x", "", "3x", "99999999999999999999"}) {
    CHECK_MESSAGE(read({"--count", text}).complaints.size() == 1, text);
  }
}

TEST_CASE("every pattern, where that is asked for") {
  const Reading reading =
      read({"--all-patterns", "--glob", "--exclude", "a", "--excludei", "b", "--include", "c"});
  CHECK(reading.complaints.empty());
  CHECK(reading.warnings.empty());
  REQUIRE(reading.options.patterns.size() == 3);
  CHECK(reading.options.patterns[0].glob);
  CHECK(reading.options.patterns[1].ignore_case);
  CHECK(reading.options.patterns[2].shows == Filter::Shows::matching);
}

TEST_CASE("help names every option but the one that is gone") {
  const std::string help = help_text("fsnotifywait", "5.0.0");
  CHECK(help.starts_with("fsnotifywait 5.0.0\n"));
  CHECK(help.find("inotifywait") == std::string::npos);
  for (const OptionSpec& spec : option_specs()) {
    const std::string name = fmt::format("--{}", spec.name);
    CHECK_MESSAGE((help.find(name) != std::string::npos) == (spec.name != "filename"), name);
  }
}
