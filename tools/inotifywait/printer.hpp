// SPDX-License-Identifier: GPL-2.0-or-later
// What is shown of what happened, and when that is enough.
#pragma once

#include <optional>

#include "common/diagnostics.hpp"
#include "common/output.hpp"
#include "inotifywait/options.hpp"
#include "notify_core/filter.hpp"
#include "notify_core/format.hpp"
#include "notify_core/watcher.hpp"

namespace notify_tools::inotifywait {

class Printer : public notify_core::EventSink {
 public:
  Printer(const Options& options, notify_core::Filter& filter, notify_core::Format& format, Output& output,
          const Diagnostics& diagnostics);

  bool on_event(const notify_core::Event& event) override;
  void on_notice(const notify_core::Notice& notice) override;

  // The exit status, once there is one.
  const std::optional<int>& status() const { return status_; }

 private:
  void print(const notify_core::Event& event);
  void tell_failure(const notify_core::Notice& notice);

  const Options& options_;
  notify_core::Filter& filter_;
  notify_core::Format& format_;
  Output& output_;
  const Diagnostics& diagnostics_;
  std::uint64_t printed_ = 0;
  std::optional<int> status_;
};

}  // namespace notify_tools::inotifywait
