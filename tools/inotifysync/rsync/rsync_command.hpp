// SPDX-License-Identifier: GPL-2.0-or-later
// How rsync is asked: the argument vector of every kind of run. Pure. No shell ever sees it.
//
// What was tried, with rsync 3.5.0 on both sides:
// - `-i -i --out-format='%i %n'` prints one line a listed path, unchanged ones too: that is how a path is
// confirmed.
// - `--info=stats1` makes it end with "total size is ...", whatever it had to do, once the other side is
// done:
//   one that ends with 0 and does not say that did nothing.
// - With --files-from, -a does not imply -r; names are read from stdin one by one, so a client that waits for
// its
//   first name is connected and logged in already: list runs differ in their names only.
// - Run it with LC_ALL=C in the environment: the words of its errors are read.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "inotifysync/changes/batch.hpp"
#include "inotifysync/config/target.hpp"

namespace inotifysync {

struct RsyncSettings {
  std::string program = "rsync";
  std::string source;                       // absolute, as rsync is to read it
  std::string directory;                    // absolute and real, for relative targets; empty: they stay so
  std::string target_place;                 // a path that leads to the local target; empty: its own does
  std::vector<std::string> filters;         // "--exclude=PATTERN", "--include=PATTERN", in order
  std::vector<std::string> extra;           // the user's own, after "--"
  std::chrono::seconds io_timeout{0};       // --timeout; 0: none
  std::string control_directory;            // for ssh's ControlPath; empty: no shared connection
  std::optional<std::uint64_t> max_delete;  // for runs whose deletions nobody counted
  bool password_in_environment = false;     // RSYNC_PASSWORD, for all daemons
  bool dry_run = false;                     // -n
  int time_window = -1;                     // --modify-window, see rsync(1)
};

std::vector<std::string> rsync_command(const RsyncSettings& settings, const Target& target, const Step& step,
                                       Deletion deletion);
// The run that waits for names: what an `exact` step of a batch planned with PlanOptions::source will want.
// It may wait for a long time; no --timeout is given to it.
std::vector<std::string> warm_command(const RsyncSettings& settings, const Target& target, Deletion deletion);
// True where a run started by warm_command() can serve `step`. `limited`: it was given a max_delete.
bool fits_warm(const Step& step, Deletion deletion_of_warm, bool limited);

// Whether anybody gave a password for the daemon of `target`, or it is none.
bool knows_password(const RsyncSettings& settings, const Target& target);
// Environment for the child, "NAME=value". Nobody is asked for a password.
std::vector<std::string> rsync_environment(const RsyncSettings& settings, const Target& target);

// As one would type it, quoted for sh(1): for --dry-run and messages.
std::string shell_quoted(const std::vector<std::string>& arguments);

}  // namespace inotifysync
