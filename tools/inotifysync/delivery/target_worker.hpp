// SPDX-License-Identifier: GPL-2.0-or-later
// Keeps one target up to date: one state machine, one rsync at a time.
//
//            changed, full pass wanted                trouble
//    idle ------------------------------> running --------------> waiting, held
//     ^  <-------------------------------/   ^                        |
//     |            delivered                 +------------------------+
//     |                                           time is over
//   While idle, an rsync that is connected and logged in waits for names: the warm connection. It is used up
//   by the next batch, renewed after that, and replaced before the other side would lose patience.
//
// Nothing that a target does ends the program or delays another target.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "inotifysync/changes/batch.hpp"
#include "inotifysync/changes/views.hpp"
#include "inotifysync/config/target.hpp"
#include "inotifysync/delivery/backoff.hpp"
#include "inotifysync/delivery/pace.hpp"
#include "inotifysync/delivery/rsync_run.hpp"
#include "inotifysync/delivery/target_guard.hpp"
#include "inotifysync/delivery/time_grain.hpp"
#include "inotifysync/loop/target_look.hpp"
#include "inotifysync/report/status.hpp"
#include "inotifysync/rsync/rsync_command.hpp"
#include "inotifysync/rsync/rsync_outcome.hpp"

namespace inotifysync {

class TargetWorker;

// What a worker asks of the program around it; a test has its own.
class WorkerHost {
 public:
  virtual ~WorkerHost() = default;
  virtual Timers& timers() = 0;
  virtual Spawner& spawner() = 0;
  // The batch for what `changes` says, planned from the source as it is now. Workers that lack the same get
  // the same.
  virtual std::shared_ptr<const Batch> plan(const std::shared_ptr<const ChangeSet>& changes,
                                            Deletion deletion, bool links) = 0;
  // Looks at the source and keeps it open: whatever comes to stand at its path meanwhile is not what is
  // copied. Empty: nothing may be started; resume() comes when it is back.
  virtual notify_core::sys::Fd trusted_source() = 0;
  virtual bool may_delete_in_full_pass() = 0;
  virtual bool is_there(std::string_view path) = 0;   // in the source, now
  virtual FileInfo lstat(std::string_view path) = 0;  // what a plan has named, as it is now
  // Of files with several names, see LinkIndex.
  virtual std::uint64_t losses() = 0;
  virtual std::vector<std::string> have_lost_names(std::uint64_t since) = 0;
  // Null where there is nothing to look at, or no way to.
  virtual std::unique_ptr<TargetLook> look_at(const Target& target) = 0;
  // A place among the runs allowed at once. False: none is free, changed() is called when one is.
  virtual bool take_place(TargetWorker& worker) = 0;
  virtual void leave_place(TargetWorker& worker) = 0;
  // For the sockets of ssh's shared connections; empty: none.
  virtual std::string control_directory() = 0;
  // A shared connection may be what hangs: new ones from now on.
  virtual void leave_connections() = 0;
  virtual double chance() = 0;            // in [0, 1)
  virtual std::int64_t wall_clock() = 0;  // seconds since the epoch
  // For people. `again`: when it is tried again, if it is.
  virtual void on_delivered(const BatchReport& report, bool full_pass) = 0;
  virtual void on_trouble(const std::string& target, const std::string& words,
                          std::optional<Duration> again) = 0;
  virtual void on_recovered(const std::string& target) = 0;
  // After every change of state: --once and SIGTERM wait for it.
  virtual void on_state(TargetWorker& worker) = 0;
};

struct WorkerOptions {
  RsyncSettings rsync;
  Deletion deletion = Deletion::none;
  bool links = true;  // what is renamed is linked on the target
  bool warm = true;
  // Batches lead to the source by a path that cannot come to mean another directory: then the waiting
  // connection may delete.
  bool warm_deletes = false;
  Duration timeout = std::chrono::seconds(60);         // no byte moved for so long: the run is ended
  Duration warm_lifetime = std::chrono::seconds(300);  // a waiting connection is replaced after this
  std::optional<std::uint64_t> max_delete;             // names a batch may delete
  bool looks_again = false;  // a target that was out of reach is compared as a whole once it is back
  bool once = false;         // nobody waits for what is tried later
  bool names_all = false;    // no option or pattern makes rsync pass over what it is given
  bool own_options = true;   // the user's, which may keep rsync from saying that it is done, or limit it
};

class TargetWorker {
 public:
  // `views` and `host` outlive the worker; `view` is its place in the views.
  TargetWorker(Target target, WorkerOptions options, Views& views, std::size_t view, WorkerHost& host);

  // The target lacks something, or a place came free.
  void changed();
  void want_full_pass();
  // The user says that the target is in step already.
  void skip_first_pass() { full_pass_done_ = true; }
  // Nothing is started between the two, and a waiting connection is let go.
  void pause();
  void resume();
  // Something is mounted elsewhere, or no more.
  void mounts_changed();
  // Allows again what --max-delete stopped, and forgets every wait.
  void retry_now();
  // The rsync for all runs from now on.
  void use_program(const std::string& program);
  // A running batch goes on; nothing else starts.
  void stop();
  // Ends whatever runs, with this much time to tidy up.
  void abort(Duration grace);

  enum class State { idle, running, waiting, held };
  State state() const { return state_; }
  // A run is under way that may bring over what no event has told of yet.
  bool reads_trees() const { return batch_ && !batch_->trees.empty(); }
  bool reads_everything() const { return batch_ && batch_->full; }
  bool at_rest() const { return state_ != State::running && !retiring_ && !waits_for_look(); }
  // It has brought over all that it may.
  bool has_done_all() const;
  // The target is what the source is: it has no names either that are to go.
  bool up_to_date() const { return has_done_all() && undeleted().empty(); }
  // Why the target still has what should have been deleted; empty: it has not.
  std::string_view undeleted() const;
  bool full_pass_failed() const { return full_pass_failed_; }
  std::size_t queue_length() const;
  const Target& target() const { return target_; }
  std::size_t view() const { return view_; }
  bool has_place() const { return has_place_; }  // of WorkerHost::take_place()
  TargetStatus status() const;

 private:
  enum class Loss { told, quiet };  // a trouble that was told of, or one that nobody felt

  bool lacks_anything() const;
  Deletion deletion() const {
    return deletions_held_ || deletions_refused_ ? Deletion::none : options_.deletion;
  }
  void set_state(State state);
  void lack();

  bool has_looked();
  void look();
  bool waits_for_look() const {
    return asked_at_ && state_ == State::idle && lacks_anything() && !stopping_ && !paused_;
  }
  void look_again_or_wait();
  void looked(const TargetFacts& facts);
  void hinder(const std::string& words);
  void let_on();

  void start_if_possible();
  void start_batch();
  std::shared_ptr<const Batch> next_batch();
  std::shared_ptr<const Batch> full_batch();
  void run_step();
  RsyncSettings settings();
  bool start_cold(const Step& step);
  Deletion deletion_of(const Step& step) const;
  Deletion deletion_of_warm() const;
  RsyncRun::Ended ended();
  void run_ended(RsyncRun& run, ChildExit how);

  void step_ended(ChildExit how);
  Outcome judge(const RsyncRun& run, ChildExit how, const Step& step) const;
  std::string_view doubt_in(const Outcome& outcome, const Step& step) const;
  void account(const Outcome& outcome);
  void step_is_partial(const Step& step, const Outcome& outcome);
  void batch_done();
  Duration set_troubled(const ChangeSet& paths);
  void batch_broke_off(const Outcome& outcome);
  bool set_aside(const Outcome& outcome);
  void put_back_rest(const Outcome& outcome);
  void put_back_changed(const Step& step);
  void mark_links_changed(const Step& step, ChangeSet& into) const;
  void doubt(const Step& step);
  void leave_batch();
  void leave_place();
  void settle_verdict(const Outcome& outcome);
  void hold_deletions(const std::string& words);
  void send_what_is_renamed(const std::string& words);
  void delete_by_directory(const std::string& words);
  void refuse_deletions(const std::string& words);
  void ask_again_later();
  void ask_to_delete_again();
  bool try_deletions_again();
  void note_error(const std::string& words);
  void wait(Backoff::Trouble trouble, const std::string& words);
  void wait_a_moment();
  void try_troubled_again();
  void look_again(Loss loss);
  void looked_at_all();

  void warm_up();
  void warm_ended(const RsyncRun& run, ChildExit how);
  void shorten_warm_lifetime(Duration lived);
  void retire_warm();
  void retired();

  Target target_;
  WorkerOptions options_;
  Views& views_;
  std::size_t view_;
  WorkerHost& host_;

  State state_ = State::idle;
  bool paused_ = false;
  bool stopping_ = false;
  bool has_place_ = false;
  bool full_pass_wanted_ = false;
  bool full_pass_done_ = false;
  bool full_pass_failed_ = false;
  bool deletions_held_ = false;     // --max-delete was reached; retry_now() allows them again
  bool deletions_allowed_ = false;  // by the next full pass, without a limit
  bool deletions_refused_ = false;  // by the target; the next full pass that is wanted tries them again
  bool asks_again_ = false;         // the one that is wanted is to try that, and for nothing else
  bool told_of_refusal_ = false;
  bool deletions_skipped_ = false;  // by the last full pass, as the source was empty
  bool announced_trouble_ = false;

  std::shared_ptr<const Batch> batch_;        // while running
  std::shared_ptr<const ChangeSet> changes_;  // what it was planned from; null for a full pass
  std::size_t step_ = 0;
  std::unique_ptr<RsyncRun> run_;
  std::unique_ptr<RsyncRun> warm_;      // connected, waiting for names
  std::unique_ptr<RsyncRun> retiring_;  // told that no names come, about to end
  bool run_was_warm_ = false;
  bool warm_pays_ = true;  // the last one was not dropped early
  Clock::time_point fed_at_{};
  std::uint64_t losses_before_ = 0;     // of names, when the run began
  std::string open_path_, open_place_;  // by which the running rsync knows the source, and a local target

  std::unique_ptr<TargetLook> look_;  // at a local target
  TargetGuard guard_;
  std::unique_ptr<Timer> look_timer_;
  std::optional<Clock::time_point> asked_at_;          // while nobody has answered
  bool outdated_ = false;                              // something was mounted since
  bool may_start_ = false;                             // a good answer has just come
  std::shared_ptr<const notify_core::sys::Fd> place_;  // where it leads to, for the batch that this starts
  bool hindered_ = false;                              // by what was seen, or as nothing was

  ChangeSet troubled_;  // failed by name: tried again later, in nobody's way
  bool full_pass_troubled_ = false;
  bool was_full_ = false;  // some of it for want of space
  int full_in_a_row_ = 0;
  ChangeSet doubted_;  // of runs that were cut off

  int busy_in_a_row_ = 0, silent_in_a_row_ = 0;
  Backoff backoff_, troubled_backoff_, refusal_backoff_;
  std::optional<Clock::time_point> trouble_since_, troubled_since_, refused_since_;
  Pace pace_;
  TimeGrain grain_;
  std::unique_ptr<Timer> pace_timer_, wait_timer_, troubled_timer_, warm_timer_, retire_timer_, again_timer_,
      refusal_timer_;
  std::optional<Clock::time_point> looked_again_;
  Duration full_pass_took_{}, quiet_apart_{};
  Clock::time_point wait_until_{};

  std::optional<Clock::time_point> lacking_since_;    // the oldest of what the views hold
  std::optional<Clock::time_point> in_flight_since_;  // the oldest of what runs
  Clock::time_point batch_started_{};
  BatchReport report_;
  TargetStatus totals_;  // the counters and last words; the rest is filled in by status()
};

}  // namespace inotifysync
