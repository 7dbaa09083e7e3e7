// SPDX-License-Identifier: GPL-2.0-or-later
// Command lines as getopt_long(3) reads them, with cxxopts for the values. cxxopts itself neither abbreviates
// nor permutes, splits at commas and reads "-t=5" in its own way; so the arguments are first put in getopt's
// order and handed to cxxopts as plain "--name", "value" pairs.
#pragma once

#include <cxxopts.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace notify_tools {

enum class Argument { none, required };

struct OptionSpec {
  std::string_view name;  // the long name, two characters or more
  char letter = 0;        // the short name; 0: there is none
  Argument argument = Argument::none;
  std::string_view help;  // the row of --help as it is printed, without its final newline; empty: not listed
  // Not one of inotify-tools' options. Its name can be abbreviated only to what abbreviates none of theirs,
  // so that no old command line changes its meaning.
  bool added = false;
};

struct CommandLine {
  // All that was seen before the error, if there is one. options.arguments() holds every occurrence in order,
  // by its long name; options[name].as<std::string>() is the last value, options.count(name) how often.
  cxxopts::ParseResult options;
  std::vector<std::string> operands;
  // What is wrong, as getopt_long says it, beginning with argv[0] and without a newline; empty: nothing.
  // Reading ends at the first error.
  std::string error;
};

// `posixly_correct`: the first operand ends the options (getopt's POSIXLY_CORRECT).
CommandLine read_command_line(std::span<const OptionSpec> specs, std::span<const char* const> arguments,
                              bool posixly_correct);

// The same for main()'s arguments, with POSIXLY_CORRECT looked up in the environment.
CommandLine read_command_line(std::span<const OptionSpec> specs, int argc, const char* const* argv);

// The rows of --help, each behind a tab.
std::string option_rows(std::span<const OptionSpec> specs);

}  // namespace notify_tools
