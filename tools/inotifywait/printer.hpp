// SPDX-License-Identifier: GPL-2.0-or-later
// What is shown of what happened, and when that is enough. An event goes through these stages, where they are
// asked for: it is given the name that is followed, filtered, joined with its other half, kept until its path
// is quiet, and printed.
#pragma once

#include <optional>

#include "common/diagnostics.hpp"
#include "common/output.hpp"
#include "inotifywait/followed_names.hpp"
#include "inotifywait/move_pairs.hpp"
#include "inotifywait/options.hpp"
#include "inotifywait/settle.hpp"
#include "notify_core/filter.hpp"
#include "notify_core/format.hpp"
#include "notify_core/watcher.hpp"

namespace notify_tools::inotifywait {

// How events become text.
struct Wording {
  notify_core::Filter filter;
  notify_core::Format line = notify_core::Format::standard();
  std::optional<notify_core::Format> move_line;  // of joined renames, where it is another
};

class Printer : public notify_core::EventSink {
 public:
  Printer(const Options& options, Wording& wording, FollowedNames& followed, Output& output,
          const Diagnostics& diagnostics);

  bool on_event(const notify_core::Event& event) override;
  void on_notice(const notify_core::Notice& notice) override;
  void on_batch_end() override;

  // When there is something to do although nothing happens.
  std::optional<Time> next_due() const;
  void do_due(Time now);
  // Prints what is still kept; an event shown at last makes a good end of a bad one.
  void finish();

  // The exit status, once there is one.
  const std::optional<int>& status() const { return status_; }

 private:
  bool on_followed(const notify_core::Event& event);
  bool show(const notify_core::Event& seen);
  void join_moves(const notify_core::Event& event);
  void settle(const notify_core::Event& event);
  void print(const notify_core::Event& event);
  void tell_failure(const notify_core::Notice& notice);

  // What is printed comes first, so that both streams read in order where they end up in one file.
  template <class... Words>
  void say(fmt::format_string<Words...> format, const Words&... words) {
    output_.flush();
    diagnostics_.say(std::string_view(fmt::vformat(format, fmt::make_format_args(words...))));
  }

  // What is looked at for every event stands side by side.
  const notify_core::EventMask asked_;
  const bool follows_;
  const bool keeps_;  // some events for a while
  const bool prints_;
  const std::uint64_t enough_;  // events to print; 0: there is no end
  std::uint64_t printed_ = 0;
  std::optional<int> status_;
  Wording& wording_;
  Output& output_;

  const Options& options_;
  FollowedNames& followed_;
  const Diagnostics& diagnostics_;
  MovePairs moves_;
  Settle unsettled_;
};

}  // namespace notify_tools::inotifywait
