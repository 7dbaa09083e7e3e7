// SPDX-License-Identifier: GPL-2.0-or-later
// What inotifywait was asked to do.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/command_line.hpp"
#include "notify_core/event.hpp"
#include "notify_core/filter.hpp"
#include "notify_core/watcher.hpp"

namespace notify_tools::inotifywait {

enum class Style { standard, format, csv, json };

struct Options {
  notify_core::Backend backend = notify_core::Backend::inotify;
  bool below =
      false;  // fanotify_filesystem: an operand that is a mount point stands for what is below it, too
  notify_core::EventMask events = notify_core::mask::all_events;
  bool monitor = false;  // --daemon too
  bool daemon = false;
  bool syslog = false;
  bool recursive = false;
  bool follow_symlinks = true;
  bool recover = true;
  int quiet = 0;  // 1: only events, 2: nothing
  std::optional<std::chrono::nanoseconds> timeout;
  bool negative_timeout = false;
  std::optional<std::chrono::nanoseconds> total_timeout;
  std::uint64_t count = 0;  // events to show before ending; 0: see monitor
  bool end_when_gone = false;

  std::vector<std::int32_t> ignored_processes;
  std::vector<std::string> ignored_programs;

  bool follow_name = false;
  bool pair_moves = false;
  std::optional<std::chrono::nanoseconds> settle;

  Style style = Style::standard;
  std::string format;
  std::string time_format;
  std::string ending = "\n";

  std::vector<notify_core::Filter::Pattern> patterns;
  std::optional<std::string> from_file;
  std::optional<std::string> out_file;
  std::vector<std::string> operands;
};

struct Reading {
  Options options;
  bool help = false;
  // What to say before ending with exit status 1, one line each; empty: nothing is wrong.
  std::vector<std::string> complaints;
  std::vector<std::string> warnings;  // to be said in any case, after the complaints
};

// All options, in the order in which getopt names candidates.
std::span<const OptionSpec> option_specs();

// Pure: files named on the command line are not looked at. `program` is the last part of argv[0]; by a name
// that begins with "fsnotify" fanotify is the default.
Reading read_options(const CommandLine& line, std::string_view program);

std::string help_text(std::string_view program, std::string_view version);

}  // namespace notify_tools::inotifywait
