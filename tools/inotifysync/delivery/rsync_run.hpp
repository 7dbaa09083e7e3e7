// SPDX-License-Identifier: GPL-2.0-or-later
// One rsync at work: what it said, and whether it still gets on.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "inotifysync/loop/process.hpp"

namespace inotifysync {

class RsyncRun : public ChildListener {
 public:
  using Ended = std::function<void(RsyncRun&, ChildExit)>;

  // `ended` is called once, last of all; it may destroy the run.
  static Result<std::unique_ptr<RsyncRun>> start(Spawner& spawner, Timers& timers,
                                                 const ChildCommand& command, Ended ended);

  // Hands it the names, after which it does its work and ends. From here on it must get on: when nothing has
  // moved for `patience`, it is ended and says so by hung(). Zero: for ever. `stands_still` is called when
  // nothing has moved for a quarter of that, or for 15 s.
  void feed(
      std::string names, Duration patience, std::function<void()> stands_still = [] {});
  void end(Duration grace) { child_->end(grace); }

  bool was_fed() const { return fed_; }
  bool hung() const { return hung_; }
  const std::string& output() const { return output_; }
  const std::string& errors() const { return errors_; }
  // Else what it said last is not in them.
  bool kept_all_output() const;
  bool kept_all_errors() const;
  std::uint64_t lines() const { return lines_; }  // of output: one a path
  Clock::time_point started() const { return started_; }
  int pid() const { return child_->pid(); }

 private:
  RsyncRun(Timers& timers, Ended ended) : timers_(timers), ended_(std::move(ended)), started_(timers.now()) {}
  void on_output(std::string_view bytes) override;
  void on_error_output(std::string_view bytes) override { keep(errors_, bytes); }
  void on_exit(ChildExit how) override;
  static void keep(std::string& text, std::string_view bytes);
  void look_for_progress();

  Timers& timers_;
  Ended ended_;
  Clock::time_point started_;
  std::unique_ptr<Child> child_;
  std::string output_, errors_;
  std::uint64_t lines_ = 0;
  bool fed_ = false;
  bool hung_ = false;
  bool has_started_ = false;  // looked at once
  Duration patience_{}, between_looks_{};
  std::function<void()> stands_still_;
  std::unique_ptr<Timer> watchdog_;
  std::uint64_t moved_ = 0;
  Clock::time_point moved_at_;
};

}  // namespace inotifysync
