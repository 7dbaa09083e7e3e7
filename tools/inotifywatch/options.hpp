// SPDX-License-Identifier: GPL-2.0-or-later
// What inotifywatch was asked to do.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/command_line.hpp"
#include "notify_core/event.hpp"
#include "notify_core/filter.hpp"
#include "notify_core/statistics.hpp"
#include "notify_core/watcher.hpp"

namespace notify_tools::inotifywatch {

enum class Output { table, json, csv };
enum class By { watch, directory, extension, event };

struct Pattern {
  std::string text;
  notify_core::Filter::Shows shows = notify_core::Filter::Shows::not_matching;
  bool ignore_case = false;
};

struct Options {
  notify_core::Backend backend = notify_core::Backend::inotify;
  notify_core::EventMask events = notify_core::mask::all_events;
  bool recursive = false;
  bool follow_symlinks = true;
  bool verbose = false;
  bool zero = false;          // show rows and columns without events too
  std::uint32_t timeout = 0;  // seconds; 0: none
  notify_core::SortKey sort;
  std::optional<Pattern> pattern;
  std::optional<std::string> from_file;
  std::vector<std::string> operands;

  Output output = Output::table;
  By by = By::watch;
  bool rates = false;
  std::size_t top = 0;  // rows; 0: all
  std::optional<std::chrono::nanoseconds> interval;
};

struct Reading {
  Options options;
  bool help = false;
  // What to say before ending with exit status 1, one line each; empty: nothing is wrong.
  std::vector<std::string> complaints;
};

// All options.
std::span<const OptionSpec> option_specs();

// Pure: files named on the command line are not looked at. `program` is the last part of argv[0]; by a name
// that begins with "fsnotify" fanotify is the default.
Reading read_options(const CommandLine& line, std::string_view program);

std::string help_text(std::string_view program, std::string_view version);

}  // namespace notify_tools::inotifywatch
