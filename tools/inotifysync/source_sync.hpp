// SPDX-License-Identifier: GPL-2.0-or-later
// One source and its targets: watches it, turns events into what each target lacks, and stands guard over it.
#pragma once

#include <ctime>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "common/limits.hpp"
#include "inotifysync/changes/intake.hpp"
#include "inotifysync/changes/tree_reads.hpp"
#include "inotifysync/changes/views.hpp"
#include "inotifysync/config/config.hpp"
#include "inotifysync/config/patterns.hpp"
#include "inotifysync/delivery/job_places.hpp"
#include "inotifysync/delivery/mount_guard.hpp"
#include "inotifysync/delivery/source_guard.hpp"
#include "inotifysync/delivery/target_worker.hpp"
#include "inotifysync/loop/event_loop.hpp"
#include "inotifysync/loop/source_view.hpp"
#include "inotifysync/report/log.hpp"
#include "notify_core/watcher.hpp"

namespace inotifysync {

// What all sources share; outlives them.
struct Surroundings {
  EventLoop& loop;
  Spawner& spawner;
  Log& log;
  JobPlaces& places;
  std::function<void()> state_changed;
  std::string rsync_program;
  std::string control_directory;  // for ssh's shared connections
  bool once = false;              // no waiting connections, no watching
  bool from_stdin = false;        // told of changes, no watching
};

class SourceSync : private WorkerHost, private notify_core::EventSink {
 public:
  static Result<std::unique_ptr<SourceSync>> create(const SourceConfig& config, Surroundings& around);
  ~SourceSync() override;

  // Watches the source, unless it is for once or told of changes. What cannot be watched is said and lived
  // with; an error only where it was to be by fanotify, and may not.
  Result<void> watch();
  // All is said and lived with.
  void watch_if_possible();
  bool watch_by_one_mark();
  void tell_other_filesystems();
  // Brings every target up to date, and keeps it so.
  void start();
  // What has happened since the last call goes to the targets. Called whenever the loop is about to wait.
  void flush();
  // Something may have happened to `path`, as the user writes it. False: it does not lie in the source.
  bool hint(std::string_view path);
  void release_all() { intake_.release_all(); }

  void full_pass();
  // Nothing is sent any more, for another directory stands where the source was. A new SourceSync for the
  // same path would take it.
  bool was_replaced() const { return lost_ && verdict_ == SourceVerdict::replaced; }
  // Every wait ends, and so does what --max-delete holds.
  void retry_now();
  // Other settings for the same source: targets that are the same keep their queues and connections. False:
  // what is watched would be another, so that a new SourceSync is needed.
  bool reload(const SourceConfig& config);

  void stop();
  void abort(Duration grace);
  bool at_rest() const;
  bool has_done_all() const;
  bool has_deleted_all() const;    // no target keeps what should have been deleted
  bool only_trouble_left() const;  // every target is up to date, or cannot be made so for now
  bool any_failed() const;         // a first full pass did not come through
  // One line a target for all that it still lacks.
  void tell_the_rest() const;

  const std::string& path() const { return config_.path; }
  SourceStatus status() const;
  // The command lines that would be run.
  std::vector<std::string> dry_run() const;

 private:
  SourceSync(const SourceConfig& config, Surroundings& around, std::string root, std::string entrance,
             PatternList patterns);

  void add_worker(const Target& target, std::size_t view);
  void remove_worker(const TargetWorker& worker);
  WorkerOptions options_for(const Target& target) const;

  notify_core::WatcherOptions watcher_options(notify_core::Backend backend);
  void unwatch();
  void watch_again();
  void audit();
  void dispatch();
  void set_tick();
  void tell_unwatched(const notify_core::Error& error, int at_limit, notify_tools::Limit limit,
                      std::string_view then);
  void tick();
  void look_at_links();
  bool on_event(const notify_core::Event& event) override;
  void on_notice(const notify_core::Notice& notice) override;

  SourceVerdict judge_source(const SourceFacts& facts);
  void lose_source(Duration look_after);
  void tell_lost(SourceVerdict verdict, int error);
  void look_where_path_leads();
  void look_for_source();
  bool is_still_emptied(const SourceFacts& facts);
  void watch_mounts();
  void look_at_mounts();
  void mounts_changed();

  Timers& timers() override { return around_.loop; }
  Spawner& spawner() override { return around_.spawner; }
  std::shared_ptr<const Batch> plan(const std::shared_ptr<const ChangeSet>& changes, Deletion deletion,
                                    bool links) override;
  bool set_way_to_source(PlanOptions& options, const notify_core::sys::Fd& source, std::size_t changes) const;
  notify_core::sys::Fd trusted_source() override;
  bool may_delete_in_full_pass() override;
  bool is_there(std::string_view path) override { return lstat(path).type != FileInfo::Type::missing; }
  FileInfo lstat(std::string_view path) override { return view_.lstat(std::string(path)); }
  std::uint64_t losses() override { return view_.losses(); }
  std::vector<std::string> have_lost_names(std::uint64_t since) override {
    return view_.have_lost_names(since);
  }
  std::unique_ptr<TargetLook> look_at(const Target& target) override;
  bool take_place(TargetWorker& worker) override { return around_.places.take(worker); }
  void leave_place(TargetWorker&) override { around_.places.leave(); }
  std::string control_directory() override;
  void leave_connections() override;
  double chance() override;
  std::int64_t wall_clock() override { return std::time(nullptr); }
  void on_delivered(const BatchReport& report, bool full_pass) override;
  void on_trouble(const std::string& target, const std::string& words,
                  std::optional<Duration> again) override;
  void on_recovered(const std::string& target) override;
  void on_state(TargetWorker& worker) override;

  SourceConfig config_;
  Surroundings& around_;
  std::string root_;      // absolute, without symbolic links, no '/' at its end
  std::string entrance_;  // the source's path where symbolic links lead to root_ from; else empty
  PatternList patterns_;
  SourceView view_;
  std::optional<std::uint64_t>
      most_deletions_;  // --max-delete; a share is one of what was there at the start
  Intake intake_;
  Views views_;
  SourceGuard guard_;
  MountGuard mount_guard_;
  notify_core::sys::Fd mount_table_;  // open while we look at what is mounted in the source
  std::vector<std::unique_ptr<TargetWorker>> workers_;
  std::optional<notify_core::Watcher> watcher_;
  std::unique_ptr<Timer> tick_timer_, guard_timer_, audit_timer_, emptied_timer_, mounts_timer_, path_timer_;
  std::unique_ptr<Timer> links_timer_;

  struct {
    std::shared_ptr<const ChangeSet> changes;
    Deletion deletion = Deletion::none;
    bool links = true;
    std::shared_ptr<const Batch> batch;
  } planned_;  // the last one: targets that lack the same follow each other

  bool lost_ = false;                               // the source is not to be trusted
  SourceVerdict verdict_ = SourceVerdict::trusted;  // while it is lost: why, as it was told last
  bool incomplete_ = false;                         // some directories could not be watched
  bool unwatched_ = false;                          // for want of something that may be there later
  std::optional<Clock::time_point> watch_again_at_;
  Duration watch_again_after_{};
  bool stopping_ = false;
  bool told_ = false;  // of anything, since the last flush()
  TreeReads tree_reads_;
  bool look_at_root_ = false;  // something happened to the source's own directory
  bool was_away_ = false;      // it, or one above it, was not found under its name for a while
  bool was_empty_ = true;
  std::optional<Clock::time_point> emptied_since_;
  RepeatLimit repeats_;
  RepeatLimit lost_repeats_;  // of what is said while the source is lost
  std::minstd_rand chance_;
  std::uint64_t events_ = 0, overflows_ = 0;
  std::optional<std::int64_t> last_audit_;
};

}  // namespace inotifysync
