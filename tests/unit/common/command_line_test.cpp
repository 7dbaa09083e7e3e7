// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/command_line.hpp"

#include <doctest/doctest.h>

#include <initializer_list>

using namespace notify_tools;

namespace {

constexpr OptionSpec specs[] = {
    {"help", 'h', Argument::none, "-h|--help\tHelp."},
    {"event", 'e', Argument::required, ""},
    {"monitor", 'm', Argument::none, ""},
    {"timeout", 't', Argument::required, ""},
    {"outfile", 'o', Argument::required, ""},
    {"csv", 'c', Argument::none, ""},
    {"timefmt", 0, Argument::required, ""},
    {"exclude", 0, Argument::required, ""},
    {"excludei", 0, Argument::required, ""},
    {"count", 0, Argument::required, "--count <n>\tEnd after <n> events.", true},
    {"null", '0', Argument::none, "", true},
};

CommandLine read(std::initializer_list<const char*> words, bool posixly_correct = false) {
  std::vector<const char*> arguments{"./prog"};
  arguments.insert(arguments.end(), words);
  return read_command_line(specs, arguments, posixly_correct);
}

// "name=value" for every occurrence in order, then the operands behind "|", then the error behind "!".
std::string seen(const CommandLine& line) {
  std::string out;
  for (const cxxopts::KeyValue& option : line.options.arguments()) {
    out += option.key() + "=" + option.value() + ";";
  }
  for (const std::string& operand : line.operands) out += "|" + operand;
  if (!line.error.empty()) out += "!" + line.error;
  return out;
}

}  // namespace

TEST_CASE("options and operands mix, in the order given") {
  CHECK(seen(read({"a", "-m", "b", "--event", "create", "c"})) == "monitor=true;event=create;|a|b|c");
  CHECK(seen(read({"-mre"})) == "monitor=true;!./prog: invalid option -- 'r'");
  CHECK(seen(read({"-mcecreate", "x"})) == "monitor=true;csv=true;event=create;|x");
  CHECK(seen(read({"-monitor"})) == "monitor=true;outfile=nitor;");
  CHECK(seen(read({"-", "-m"})) == "monitor=true;|-");
}

TEST_CASE("values arrive whole, whatever they look like") {
  CHECK(seen(read({"-t=5"})) == "timeout==5;");
  CHECK(seen(read({"-t5", "-t", "-5", "--timeout="})) == "timeout=5;timeout=-5;timeout=;");
  CHECK(seen(read({"-e", "-m", "-e", "--"})) == "event=-m;event=--;");
  CHECK(seen(read({"--event=a,b", "-o", "", "x,y"})) == "event=a,b;outfile=;|x,y");
  CHECK(seen(read({"--timefmt=%F=\n%T"})) == "timefmt=%F=\n%T;");
  const std::string large(1 << 20, 'x');
  CHECK(read({"--exclude", large.c_str()}).options["exclude"].as<std::string>() == large);
  CHECK(read({large.c_str()}).operands.front() == large);
}

TEST_CASE("the last value wins and occurrences are counted") {
  const CommandLine line = read({"-t1", "-m", "-t2", "-m"});
  CHECK(line.options["timeout"].as<std::string>() == "2");
  CHECK(line.options.count("monitor") == 2);
  CHECK(line.options.count("csv") == 0);
}

TEST_CASE("two dashes end the options, once") {
  CHECK(seen(read({"-m", "--", "-c", "--", "x"})) == "monitor=true;|-c|--|x");
}

TEST_CASE("POSIXLY_CORRECT: the first operand ends the options") {
  CHECK(seen(read({"-m", "a", "-c", "--"}, true)) == "monitor=true;|a|-c|--");
}

TEST_CASE("long names abbreviate; an exact name beats a prefix") {
  CHECK(seen(read({"--mon", "--ev=create", "--exclude", "x"})) == "monitor=true;event=create;exclude=x;");
  CHECK(seen(read({"--time", "5"})) ==
        "!./prog: option '--time' is ambiguous; possibilities: '--timeout' '--timefmt'");
  CHECK(seen(read({"--exclud=5"})) ==
        "!./prog: option '--exclud=5' is ambiguous; possibilities: '--exclude' '--excludei'");
}

TEST_CASE("our own options leave the old abbreviations alone") {
  CHECK(seen(read({"--c"})) == "csv=true;");
  CHECK(seen(read({"--co", "3", "--n", "-0"})) == "count=3;null=true;null=true;");
  CHECK(seen(read({"--="})).find("--count") == std::string::npos);
}

TEST_CASE("errors speak as getopt does and end the reading") {
  CHECK(seen(read({"-hZ", "-m"})) == "help=true;!./prog: invalid option -- 'Z'");
  CHECK(seen(read({"-Zh"})) == "!./prog: invalid option -- 'Z'");
  CHECK(seen(read({"-:"})) == "!./prog: invalid option -- ':'");
  CHECK(seen(read({"--bogus=3"})) == "!./prog: unrecognized option '--bogus=3'");
  CHECK(seen(read({"-e"})) == "!./prog: option requires an argument -- 'e'");
  CHECK(seen(read({"--ev"})) == "!./prog: option '--event' requires an argument");
  CHECK(seen(read({"--mon=5"})) == "!./prog: option '--monitor' doesn't allow an argument");
}

TEST_CASE("rows of help, where there is one") {
  CHECK(option_rows(specs) == "\t-h|--help\tHelp.\n\t--count <n>\tEnd after <n> events.\n");
}
