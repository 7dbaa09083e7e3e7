// SPDX-License-Identifier: GPL-2.0-or-later
#include "inotifysync/engine.hpp"

#include <fmt/format.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <ctime>

#include "common/diagnostics.hpp"
#include "common/limits.hpp"
#include "inotifysync/loop/system.hpp"
#include "sys/syscall.hpp"

namespace inotifysync {
namespace {

using namespace std::chrono_literals;

constexpr Duration stop_grace = 10s;  // for running batches, after SIGTERM
constexpr Duration abort_grace = 2s;  // for those that were told to end
constexpr Duration progress_pause = 200ms;
constexpr std::size_t progress_width = 78;
constexpr Duration status_pause = 1s;  // between two status files

// Behind the path of a source.
std::string cannot_mark(const notify_core::Error& error) {
  return fmt::format("cannot be watched by fanotify: {}; --fanotify-auto does without where it must",
                     notify_tools::reason(error));
}

std::string cannot_run(const notify_core::Error& error) {
  const std::string hint = error.number == EMFILE ? notify_tools::descriptor_hint() : "";
  return fmt::format("inotifysync cannot run, {}: {}{}{}", error.call, notify_tools::reason(error),
                     hint.empty() ? "" : ". ", hint);
}

}  // namespace

std::string cannot_write(const notify_core::Error& error) {
  return "cannot be written: " + notify_tools::reason(error);
}

Log::Style log_style(const Config& config) {
  return {.verbosity = config.verbosity,
          .json = config.log_json,
          .syslog = config.syslog,
          .file = config.log_file};
}

Engine::Engine(Options options, Log log, std::unique_ptr<EventLoop> loop)
    : options_(std::move(options)),
      log_(std::move(log)),
      loop_(std::move(loop)),
      spawner_(*loop_),
      places_(options_.config.jobs),
      around_{.loop = *loop_,
              .spawner = spawner_,
              .log = log_,
              .places = places_,
              .state_changed = [this] { status_stale_ = true; },
              .rsync_program = options_.config.rsync,
              .control_directory = {},
              .once = options_.once,
              .from_stdin = options_.from_stdin} {}

Engine::~Engine() {
  sources_.clear();
  if (!around_.control_directory.empty()) remove_directory(around_.control_directory);
}

Result<std::unique_ptr<Engine>> Engine::create(Options options, Log log) {
  if (!options.config.pid_file.empty() && !options.dry_run)
    if (auto free = PidFile::check(options.config.pid_file); !free) return free.error();
  auto loop = EventLoop::create();
  if (!loop) return loop.error();
  std::unique_ptr<Engine> engine(new Engine(std::move(options), std::move(log), std::move(*loop)));
  if (auto added = engine->add_sources(); !added) return added.error();
  return engine;
}

Result<void> Engine::add_sources() {
  for (const SourceConfig& config : options_.config.sources) {
    if (auto prepared = prepare_ssh(config); !prepared) return prepared;
    auto source = SourceSync::create(config, around_);
    if (!source) return source.error();
    sources_.push_back(std::move(*source));
  }
  return {};
}

// Runs over ssh share one connection a host, whose socket needs a place that nobody else can enter.
Result<void> Engine::prepare_ssh(const SourceConfig& source) {
  const bool needs_ssh = std::any_of(source.targets.begin(), source.targets.end(),
                                     [](const Target& target) { return target.kind == Target::Kind::ssh; });
  if (!needs_ssh || options_.dry_run || !around_.control_directory.empty()) return {};
  auto directory = make_private_directory();
  if (!directory) return directory.error();
  around_.control_directory = std::move(*directory);
  return {};
}

int Engine::run() {
  if (!write_status()) return 1;
  tell_what_is_silent();
  for (const auto& source : sources_)
    if (auto watched = source->watch(); !watched) {
      log_.line(Log::Level::error, source->path(), cannot_mark(watched.error()));
      return 1;
    }
  if (options_.daemon) {
    if (auto detached = detach(); !detached) {
      log_.line(Log::Level::error, "", cannot_run(detached.error()));
      return 1;
    }
    log_.standard_streams_changed();
  }
  if (auto taken =
          loop_->take_signals({SIGTERM, SIGINT, SIGHUP, SIGUSR1}, [this](int number) { on_signal(number); });
      !taken) {
    log_.line(Log::Level::error, "", cannot_run(taken.error()));
    return 1;
  }
  if (auto written = write_pid_file(); !written) {
    log_.line(Log::Level::error, options_.config.pid_file, cannot_write(written.error()));
    return 1;
  }
  grace_timer_ = loop_->timer([this] {
    aborted_ = true;
    for (const auto& source : sources_) source->abort(abort_grace);
  });
  status_timer_ = loop_->timer([this] { write_status(); });
  progress_timer_ = loop_->timer([this] { show_progress(); });
  awaited_timer_ = loop_->timer([this] { look_for_awaited(); });
  loop_->before_wait([this] { before_wait(); });
  for (const auto& source : sources_) source->start();
  if (options_.from_stdin) read_stdin();
  tell_service_manager("READY=1");
  write_status();
  if (log_.shows_progress()) show_progress();
  if (auto ran = loop_->run(); !ran) {
    log_.line(Log::Level::error, "", cannot_run(ran.error()));
    return 1;
  }
  log_.progress("");
  for (const auto& source : sources_) source->tell_the_rest();
  ended_ = true;
  write_status();
  return exit_status_;
}

// Once in the background, whose process id is another one.
Result<void> Engine::write_pid_file() {
  const std::string& path = options_.config.pid_file;
  if (path == pid_file_.path()) return {};
  pid_file_ = PidFile();
  if (path.empty()) return {};
  auto file = PidFile::create(path);
  if (!file) return file.error();
  pid_file_ = std::move(*file);
  return {};
}

void Engine::before_wait() {
  log_.write_kept();
  for (const auto& source : sources_) source->flush();
  end_if_done();
  if (status_stale_ && !status_timer_->is_set() && !options_.config.status_file.empty())
    status_timer_->set(status_pause);
}

void Engine::end_if_done() {
  const auto all = [this](auto asked) {
    return std::all_of(sources_.begin(), sources_.end(), [&](const auto& source) { return asked(*source); });
  };
  if (stopping_) {
    if (all([](const SourceSync& source) { return source.at_rest(); })) loop_->stop();
    return;
  }
  if (!options_.once && !(options_.from_stdin && stdin_ended_)) return;
  if (all_done()) {
    const auto whole = [](const SourceSync& source) { return source.has_deleted_all(); };
    if (options_.once && !all(whole)) exit_status_ = 1;
    return begin_to_stop();
  }
  const auto failed = [this](const SourceSync& source) {
    return options_.once ? source.has_done_all() || source.any_failed() : source.only_trouble_left();
  };
  if (!all([](const SourceSync& source) { return source.at_rest(); }) || !all(failed)) return;
  exit_status_ = 1;
  begin_to_stop();
}

bool Engine::all_done() const {
  return std::all_of(sources_.begin(), sources_.end(),
                     [](const auto& source) { return source->has_done_all(); });
}

void Engine::begin_to_stop() {
  if (stopping_) return;
  stopping_ = true;
  tell_service_manager("STOPPING=1");
  for (const auto& source : sources_) source->stop();
  grace_timer_->set(stop_grace);
  end_if_done();
}

void Engine::on_signal(int number) {
  if (number == SIGHUP) return stopping_ ? void() : reload();
  if (number == SIGUSR1) return tell_state();
  if (!stopping_) {
    if (options_.once && !all_done()) exit_status_ = 1;
    return begin_to_stop();
  }
  if (std::exchange(aborted_, true)) return;
  for (const auto& source : sources_) source->abort(abort_grace);  // asked twice: no patience left
}

// --- Paths from a pipe ---

void Engine::read_stdin() {
  const auto ready = [this](std::uint32_t) {
    char buffer[65536];
    const auto size = notify_core::sys::read(STDIN_FILENO, buffer, sizeof buffer);
    if (size == -EINTR || size == -EAGAIN) return;
    const char end = options_.null ? '\0' : '\n';
    if (size < 0) {
      const auto error = notify_core::sys::error(static_cast<int>(size), "read");
      log_.line(Log::Level::error, "standard input", "cannot be read: " + notify_tools::reason(error));
      exit_status_ = 1;
    }
    if (size > 0) {
      unread_.append(buffer, static_cast<std::size_t>(size));
    } else {
      stdin_ended_ = true;
      loop_->remove(STDIN_FILENO);
      if (!unread_.empty()) unread_ += end;
    }
    std::size_t from = 0;
    for (std::size_t to; (to = unread_.find(end, from)) != std::string::npos; from = to + 1)
      stdin_line(std::string_view(unread_).substr(from, to - from));
    unread_.erase(0, from);
  };
  if (loop_->add(STDIN_FILENO, EPOLLIN, ready)) return;
  while (!stdin_ended_) ready(0);  // a regular file, which epoll(7) does not take, is always ready
}

void Engine::stdin_line(std::string_view path) {
  if (path.empty() || sources_.empty() || sources_.front()->hint(path)) return;
  // Who tells of a whole disk is not told of each name.
  const auto level = outside_.worth_saying("", "", Clock::now()) ? Log::Level::warning : Log::Level::debug;
  log_.line(level, "", fmt::format("{}: not in {}, left out", path, sources_.front()->path()));
}

// --- For people ---

Status Engine::status() const {
  Status status;
  status.time = std::time(nullptr);
  status.uptime_seconds = std::chrono::duration<double>(Clock::now() - started_).count();
  status.pid = ::getpid();
  status.version = INOTIFYSYNC_VERSION;
  for (const auto& source : sources_) {
    status.sources.push_back(source->status());
    if (ended_) status.sources.back().state = "stopped";
  }
  for (const SourceConfig& source : awaited_) {
    SourceStatus away;
    away.path = source.path;
    away.state = ended_ ? "stopped" : "missing";
    status.sources.push_back(std::move(away));
  }
  return status;
}

bool Engine::write_status() {
  status_stale_ = false;
  if (options_.config.status_file.empty()) return true;
  const std::string& file = options_.config.status_file;
  const auto written = replace_file(file, status_json(status()), 0600);
  if (written) {
    repeats_.forget(file);
    return true;
  }
  status_stale_ = true;  // it is tried again, and told, but not each time
  const std::string words = cannot_write(written.error());
  if (repeats_.worth_saying(file, words, Clock::now())) log_.line(Log::Level::warning, file, words);
  return false;
}

void Engine::tell_what_is_silent() {
  const Config& config = options_.config;
  if (options_.daemon && config.log_file.empty() && !config.syslog)
    log_.line(Log::Level::warning, "",
              "--daemon without --log-file or --syslog: what goes wrong in the background is told nowhere");
}

// Until all targets have been in step once.
void Engine::show_progress() {
  const std::string line = progress_line(status(), progress_width);
  log_.progress(line);
  if (!line.empty()) progress_timer_->set(progress_pause);
}

void Engine::tell_state() {
  write_status();
  for (const auto& source : sources_) {
    const SourceStatus status = source->status();
    if (!status.trouble.empty())
      log_.line(Log::Level::warning, status.path, status.trouble + ": no target gets anything from it");
    for (const TargetStatus& target : status.targets)
      log_.line(Log::Level::info, target.name, state_line(target));
  }
}

void Engine::print_dry_run() const {
  for (const auto& source : sources_)
    for (const std::string& line : source->dry_run()) fmt::print("{}\n", line);
}

}  // namespace inotifysync
