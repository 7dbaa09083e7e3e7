// SPDX-License-Identifier: GPL-2.0-or-later
#include "inotifysync/delivery/job_places.hpp"

#include <algorithm>

#include "inotifysync/delivery/target_worker.hpp"

namespace inotifysync {

bool JobPlaces::take(TargetWorker& worker) {
  if (!is_free()) {
    if (std::find(waiting_.begin(), waiting_.end(), &worker) == waiting_.end()) waiting_.push_back(&worker);
    return false;
  }
  ++taken_;
  return true;
}

void JobPlaces::leave() {
  --taken_;
  call_next();
}

void JobPlaces::forget(TargetWorker& worker) {
  std::erase(waiting_, &worker);
  if (worker.has_place()) leave();
}

void JobPlaces::set_most(unsigned most) {
  most_ = most;
  call_next();
}

// One that is called may have no use for the place any more; so all are called for whom there is one.
void JobPlaces::call_next() {
  while (!waiting_.empty() && is_free()) {
    TargetWorker* const next = waiting_.front();
    waiting_.erase(waiting_.begin());
    next->changed();
  }
}

}  // namespace inotifysync
