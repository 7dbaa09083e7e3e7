// SPDX-License-Identifier: GPL-2.0-or-later
// What the user wants: the whole of a configuration file, or of a command line, in plain values.
//
// The file is TOML. Keys of the top level hold for the program; those that a [[source]] may have can stand at
// the top level too and then hold for every source that does not say otherwise; the same for a
// [[source.target]].
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "inotifysync/config/target.hpp"
#include "notify_core/error.hpp"

namespace inotifysync {

using Milliseconds = std::chrono::milliseconds;

// A limit of deletions: a count, or a share of the files that the source has.
struct DeleteLimit {
  enum class Unit { none, count, percent } unit = Unit::none;
  std::uint64_t value = 0;
  bool operator==(const DeleteLimit&) const = default;
};

enum class Watching {
  by_inotify,   // one watch a directory
  by_fanotify,  // one mark for the filesystem
  automatic,    // by fanotify where that is allowed and the source is one filesystem, else by inotify
};

struct SourceConfig {
  std::string path;
  std::vector<Target> targets;
  // In the order given: "--exclude=P", "--include=P", "--exclude-from=F", "--include-from=F".
  std::vector<std::string> filters;
  std::vector<std::string> rsync_options;
  bool remove = false;  // --delete
  DeleteLimit max_delete;
  Milliseconds settle{0};  // a file without a close is held until quiet for so long; 0: see the man page
  Milliseconds max_delay{10'000};                  // ... but no longer than this
  std::chrono::seconds audit_interval{24 * 3600};  // 0: never
  std::chrono::seconds timeout{60};                // a run that moves no byte for so long is ended
  bool initial_sync = true;
  Watching watching = Watching::by_inotify;
  bool operator==(const SourceConfig&) const = default;
};

struct Config {
  std::vector<SourceConfig> sources;
  unsigned jobs = 0;  // runs at once; 0: one a target
  std::string status_file, pid_file, log_file;
  bool syslog = false;
  bool log_json = false;
  int verbosity = 0;  // -1 quiet, 1 verbose
  std::string rsync = "rsync";
  bool operator==(const Config&) const = default;
};

// Reads the text of a configuration file. Error: path is "NAME:LINE", detail names the key and what it must
// be.
notify_core::Result<Config> parse_config(std::string_view text, std::string_view name);

inline constexpr const char* duration_words =
    "a duration such as \"250ms\", \"1.5s\", \"10m\", \"2h\" or a number of seconds";
// "250ms", "1.5s", "10m", "2h", "1d"; a bare number is seconds. Error: detail says what is understood.
notify_core::Result<Milliseconds> parse_duration(std::string_view text);
// "1000" or "25%".
notify_core::Result<DeleteLimit> parse_delete_limit(std::string_view text);

}  // namespace inotifysync
