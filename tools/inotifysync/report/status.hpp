// SPDX-License-Identifier: GPL-2.0-or-later
// What an operator asks at three in the morning, as values, as JSON and as one line. Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace inotifysync {

struct TargetStatus {
  std::string name;
  std::string operand;
  std::string state;                         // "idle", "running", "waiting", "held", "starting"
  double lag_seconds = 0;                    // age of the oldest change it lacks
  std::uint64_t queue = 0;                   // dirty paths
  std::optional<std::int64_t> last_success;  // seconds since the epoch
  std::optional<std::int64_t> last_error_at;
  std::string last_error;                  // rsync's own words
  std::optional<double> next_try_seconds;  // while waiting or held
  bool up_to_date = false;  // the first full pass is done and nothing is lacking, for all we know
  bool deletes = false;
  std::uint64_t under_way = 0;  // files that the running batch has sent so far
  std::uint64_t runs = 0, failed_runs = 0, files = 0, deleted = 0, bytes = 0;
};

struct SourceStatus {
  std::string path;
  std::string state;    // "watching", "unwatched", "missing", "replaced", "stopped"
  std::string trouble;  // why nothing is sent, for people; empty: there is no reason
  std::uint64_t watches = 0, events = 0, overflows = 0;
  std::optional<std::int64_t> last_audit;
  std::vector<TargetStatus> targets;
};

struct Status {
  std::int64_t time = 0;  // seconds since the epoch
  double uptime_seconds = 0;
  int pid = 0;
  std::string version;
  std::vector<SourceStatus> sources;
};

std::string status_json(const Status& status);  // one object, ended by a newline

// What the first passes are doing, in at most `width` characters: "web1 1,204 files  web2 in step  web3
// waiting". Empty when all targets are in step or in trouble of which a line has told.
std::string progress_line(const Status& status, std::size_t width);

struct BatchReport {
  std::string target;
  std::uint64_t files = 0, deleted = 0, bytes = 0;
  double seconds = 0;
  bool partial = false;    // some of it failed
  bool again = false;      // ... and is tried again
  bool undeleted = false;  // what should have been deleted is still there
};
// "web1 12 files, 3 deleted, 1.2 MB in 0.08 s"
std::string batch_line(const BatchReport& report);
// What SIGUSR1 asks: "idle, lag 0.0 s, 0 paths to go, ..., last error: ..."
std::string state_line(const TargetStatus& target);
// "1.2 MB", "512 B"; powers of a thousand.
std::string human_bytes(std::uint64_t bytes);
// `text` as a JSON string with its quotes; bytes that are no UTF-8 become U+FFFD.
std::string json_string(std::string_view text);

}  // namespace inotifysync
