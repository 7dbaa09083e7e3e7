// SPDX-License-Identifier: GPL-2.0-or-later
// Looks at local targets without waiting for their filesystems.
#pragma once

#include <functional>
#include <memory>

#include "inotifysync/config/config.hpp"
#include "inotifysync/delivery/target_guard.hpp"
#include "inotifysync/loop/event_loop.hpp"

namespace inotifysync {

// Of one target. Destroying it calls nobody.
class TargetLook {
 public:
  virtual ~TargetLook() = default;
  // Calls `seen` once it is known what is there, which may be never. Nothing new is asked before.
  virtual void ask(std::function<void(const TargetFacts&)> seen) = 0;
};

// `source` has that one target, a local one. Null where no descriptor can be had.
std::unique_ptr<TargetLook> target_look(EventLoop& loop, SourceConfig source);

// May hang.
TargetFacts look_at_target(const SourceConfig& source);

}  // namespace inotifysync
