// SPDX-License-Identifier: GPL-2.0-or-later
// One place that is kept identical: any destination rsync knows.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "notify_core/error.hpp"

namespace inotifysync {

struct Target {
  enum class Kind {
    local,   // a directory here
    ssh,     // [user@]host:path
    daemon,  // [user@]host::module/path or rsync://[user@]host[:port]/module/path
  };
  Kind kind = Kind::local;
  std::string operand;  // as the user wrote it
  std::string name;     // for people: as configured, or the host (and module), or the last part of the path
  std::string user, host;
  int port = 0;        // 0: the default
  std::string module;  // daemon
  std::string path;    // below the module; never begins or ends in '/' there

  // Settings.
  std::string password_file;
  std::string ssh;                         // the remote shell and its options, split at spaces; empty: ssh
  std::string rsync_path;                  // rsync on the other side
  std::vector<std::string> rsync_options;  // after those for all targets
  std::optional<bool> warm;                // keep a connection waiting; unset: where it helps
  std::optional<bool> remove;              // delete on this target; unset: as the source says

  bool operator==(const Target&) const = default;
  // What rsync is to be told, with `below` (relative, may be empty) added. Ends in '/'.
  std::string destination(std::string_view below = {}) const;
};

// Reads one TARGET operand. Error: path is the operand, detail what is wrong with it and what to write
// instead.
notify_core::Result<Target> parse_target(std::string_view operand);

// A password file must belong to us or to root and be closed to others, as rsync wants it. Says what is
// wrong; empty: nothing. `mode` and `owner` as stat(2) gave them.
std::string password_file_fault(mode_t mode, uid_t owner, uid_t we);

// A configuration names programs to run, so nobody else may write it: it belongs to us or to root, and a
// group that may write it is root's or ours. Says what is wrong; empty: nothing.
std::string config_file_fault(mode_t mode, uid_t owner, gid_t group, uid_t we, gid_t our_group);

// The one of `others` that leads to the same place as `target`, however the two are written; null: none. What
// links and mounts make the same is not seen.
const Target* find_same_place(const Target& target, const std::vector<Target>& others);

// Why `target` may not be one of `source`, which has `others` already; empty: it may.
std::string target_fault(std::string_view source, const Target& target, const std::vector<Target>& others);

}  // namespace inotifysync
