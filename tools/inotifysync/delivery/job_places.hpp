// SPDX-License-Identifier: GPL-2.0-or-later
// The places of --jobs, shared by all sources. Who finds none free is called when one is.
#pragma once

#include <vector>

namespace inotifysync {

class TargetWorker;

class JobPlaces {
 public:
  explicit JobPlaces(unsigned most) : most_(most) {}  // 0: no limit

  // For a run of `worker`, which must leave() it again. False: none is free, changed() is called when one is.
  bool take(TargetWorker& worker);
  void leave();
  // The worker is about to be destroyed, waiting or with a place of its own.
  void forget(TargetWorker& worker);
  // Runs that are under way go on, even if they are more than that.
  void set_most(unsigned most);

 private:
  bool is_free() const { return most_ == 0 || taken_ < most_; }
  void call_next();

  unsigned most_;
  unsigned taken_ = 0;
  std::vector<TargetWorker*> waiting_;
};

}  // namespace inotifysync
