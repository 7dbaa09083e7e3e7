// SPDX-License-Identifier: GPL-2.0-or-later
// Several targets looking at one stream of changes, each with what it still lacks. Targets that lack the same
// share one set (the same pointer), so one plan serves them all and a merge is done once for all of them.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "inotifysync/changes/change_set.hpp"

namespace inotifysync {

class Views {
 public:
  explicit Views(std::size_t targets) : pending_(targets), is_used_(targets, true) {}

  // One more target, which lacks nothing yet; its number. A number that was removed may come again.
  std::size_t add_target();
  void remove_target(std::size_t target);

  // Something happened: every target lacks it now.
  void add(ChangeSet fresh);
  // What `target` lacks, and lacks no more from here on; null: nothing.
  std::shared_ptr<const ChangeSet> take(std::size_t target);
  // What a run did not bring over: older than anything that is pending.
  void put_back(std::size_t target, ChangeSet unconfirmed);
  // What is pending for `target` may reach it in another way before its turn comes.
  void doubt_births(std::size_t target);

  bool lacks(std::size_t target) const { return pending_[target] != nullptr; }
  std::size_t queue_length(std::size_t target) const {
    return pending_[target] ? pending_[target]->size() : 0;
  }

 private:
  std::vector<std::shared_ptr<ChangeSet>> pending_;
  std::vector<bool> is_used_;
};

}  // namespace inotifysync
