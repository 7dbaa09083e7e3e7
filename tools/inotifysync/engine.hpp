// SPDX-License-Identifier: GPL-2.0-or-later
// The program at work: one loop, all sources, signals, the status file, and an orderly end.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "inotifysync/loop/event_loop.hpp"
#include "inotifysync/loop/pid_file.hpp"
#include "inotifysync/options.hpp"
#include "inotifysync/report/log.hpp"
#include "inotifysync/source_sync.hpp"

namespace inotifysync {

// Behind the path of the status file or the pid file.
std::string cannot_write(const notify_core::Error& error);
Log::Style log_style(const Config& config);

class Engine {
 public:
  // An error of the loop's creation, or one about a source: its path is in it.
  static Result<std::unique_ptr<Engine>> create(Options options, Log log);
  ~Engine();

  // Watches, then runs until a signal, or until all is done (--once, end of stdin). The exit status.
  int run();
  void print_dry_run() const;

 private:
  Engine(Options options, Log log, std::unique_ptr<EventLoop> loop);

  Result<void> add_sources();
  Result<void> prepare_ssh(const SourceConfig& source);
  void on_signal(int number);
  void reload();
  void take_settings(const Config& config);
  void change_log(const Config& config);
  Result<void> write_pid_file();
  void take_source(const SourceConfig& config);
  void await_source(const SourceConfig& config, const Error& error);
  void look_for_awaited();
  void before_wait();
  void read_stdin();
  void stdin_line(std::string_view path);
  void end_if_done();
  void begin_to_stop();
  bool all_done() const;
  void tell_what_is_silent();
  void tell_state();
  bool write_status();
  void show_progress();
  Status status() const;

  Options options_;
  Log log_;
  PidFile pid_file_;
  std::unique_ptr<EventLoop> loop_;
  LoopSpawner spawner_;
  JobPlaces places_;
  Surroundings around_;
  std::vector<std::unique_ptr<SourceSync>> sources_;
  std::vector<SourceConfig> awaited_;  // those that were not there when the settings were read again
  std::unique_ptr<Timer> grace_timer_, status_timer_, progress_timer_, awaited_timer_;
  Clock::time_point started_ = Clock::now();
  RepeatLimit repeats_;
  RepeatLimit outside_;  // for paths on stdin that are not in the source
  std::string unread_;   // of stdin: the beginning of a path
  bool stdin_ended_ = false;
  bool stopping_ = false;
  bool aborted_ = false;
  bool ended_ = false;  // in good order
  bool status_stale_ = true;
  int exit_status_ = 0;
};

}  // namespace inotifysync
