// SPDX-License-Identifier: GPL-2.0-or-later
// How long a target is left alone after trouble. A function of its state: no clock, and chance comes from
// outside.
//
// Passing trouble is tried again soon for as long as the outage is young, so that a target that comes back
// converges within two seconds; later the waits grow with the age of the outage (a tenth of it), up to a
// minute. Trouble that a person must mend grows to ten minutes. Jitter takes up to a fifth off, so that many
// do not come at once.
#pragma once

#include <chrono>

namespace inotifysync {

class Backoff {
 public:
  using Duration = std::chrono::milliseconds;
  enum class Trouble {
    passing,  // connection refused, broken off, timed out, unknown
    partial,  // some paths failed: the target lives
    full,     // no space, too many connections
    held,     // authentication, unknown module, refused options
  };

  // The wait before the next attempt. `age`: since the first failure in a row. `chance`: in [0, 1).
  Duration next(Trouble trouble, Duration age, double chance);
  void reset() { failures_ = 0; }
  unsigned failures() const { return failures_; }

 private:
  unsigned failures_ = 0;
};

}  // namespace inotifysync
