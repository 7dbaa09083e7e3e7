// SPDX-License-Identifier: GPL-2.0-or-later
// What a first walk says of the directories it watches, and to whom.
#pragma once

#include <string_view>

#include "notify_core/error.hpp"

namespace notify_core::watch {

// In the order of listing; a directory before what is in it. One directory is at hand, at first that in which
// the walk began.
class WalkSink {
 public:
  virtual ~WalkSink() = default;
  // `name` in the directory at hand is watched: it is at hand now, until end(). False: it is known already,
  // and is not to be entered.
  virtual bool begin(std::string_view name, int watch) = 0;
  // All has been said of the directory at hand. `leaf`: it was not listed, as its link count tells that no
  // directory is in it.
  virtual void end(bool leaf) = 0;
  // The directory of this watch was not found under its name when it was to be listed: it is being moved.
  virtual void missed(int watch) = 0;
  // Something could not be watched or listed. What vanished is no failure.
  virtual void failed(Error error) = 0;
};

}  // namespace notify_core::watch
