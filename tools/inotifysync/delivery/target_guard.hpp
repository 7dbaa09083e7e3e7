// SPDX-License-Identifier: GPL-2.0-or-later
// Is a local target still the place that was brought up to date? Its filesystem may be unmounted, its
// directory replaced, a symbolic link on the way to it turned to where nothing may be deleted. Pure: the
// facts are given.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sys/fd.hpp"

namespace inotifysync {

// What stands at a target's path at one moment.
struct TargetFacts {
  std::string fault;  // it lies where it must not, or cannot be looked at, in a line for people; else empty
  bool is_there = false;
  // What was looked at, open with O_PATH: whatever a link leads to by then, a run goes there. Null: not
  // there.
  std::shared_ptr<const notify_core::sys::Fd> directory;
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::uint64_t birth = 0;            // nanoseconds; 0: not known
  std::uint64_t mount = 0;            // what it is on, or would be made on; 0: not known
  std::vector<std::uint64_t> mounts;  // all there are; empty: not known
};

enum class TargetVerdict {
  trusted,    // the same directory, or one made since there was none
  changed,    // another directory or filesystem: who knows what is in it?
  unmounted,  // what it was on is mounted no more, and what was below that shows instead
  misplaced,  // TargetFacts::fault
};

class TargetGuard {
 public:
  // What is there now becomes the known one, unless it is unmounted or misplaced.
  TargetVerdict judge(const TargetFacts& now);
  // Somebody says that what is there is right.
  void forget() { known_.reset(); }

 private:
  bool is_uncovered(const TargetFacts& now) const;

  std::optional<TargetFacts> known_;
};

}  // namespace inotifysync
