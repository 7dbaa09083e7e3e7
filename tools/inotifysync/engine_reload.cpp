// SPDX-License-Identifier: GPL-2.0-or-later
// The part of Engine that reads the settings again while it runs.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "common/diagnostics.hpp"
#include "inotifysync/engine.hpp"
#include "inotifysync/loop/system.hpp"
#include "inotifysync/troubles.hpp"

namespace inotifysync {
namespace {

using namespace std::chrono_literals;

constexpr Duration awaited_pause = 1s;  // between two looks for a source that is not there

}  // namespace

void Engine::reload() {
  if (options_.config_file.empty()) {
    change_log(options_.config);
    for (const SourceConfig& source : options_.config.sources) take_source(source);
    return;
  }
  std::string error;
  const Config config = read_config_file(options_, error);
  if (!error.empty()) return log_.line(Log::Level::error, "", error + "; the settings stay as they are");
  tell_service_manager("RELOADING=1");
  awaited_.clear();
  std::erase_if(sources_, [&](const auto& source) {
    return std::none_of(config.sources.begin(), config.sources.end(),
                        [&](const SourceConfig& one) { return one.path == source->path(); });
  });
  take_settings(config);
  for (const SourceConfig& source : config.sources) take_source(source);
  options_.config.sources = config.sources;
  log_.line(Log::Level::info, "", options_.config_file + " was read again");
  tell_service_manager("READY=1");
}

void Engine::change_log(const Config& config) {
  if (auto changed = log_.change(log_style(config)); !changed)
    log_.line(Log::Level::error, changed.error().path, notify_tools::reason(changed.error()));
}

// What is not about one source.
void Engine::take_settings(const Config& config) {
  change_log(config);
  places_.set_most(config.jobs);
  around_.rsync_program = config.rsync;
  const std::string old_status = std::exchange(options_.config.status_file, config.status_file);
  options_.config.pid_file = config.pid_file;
  if (!old_status.empty() && old_status != config.status_file) remove_file(old_status);
  if (auto written = write_pid_file(); !written)
    log_.line(Log::Level::error, config.pid_file, cannot_write(written.error()));
  write_status();
}

void Engine::take_source(const SourceConfig& config) {
  const auto same = std::find_if(sources_.begin(), sources_.end(),
                                 [&](const auto& source) { return source->path() == config.path; });
  if (auto prepared = prepare_ssh(config); !prepared)
    log_.line(Log::Level::error, prepared.error().path, notify_tools::reason(prepared.error()));
  const bool was_replaced = same != sources_.end() && (*same)->was_replaced();
  if (same != sources_.end() && !was_replaced && (*same)->reload(config)) return;
  auto source = SourceSync::create(config, around_);
  if (!source) {
    if (same != sources_.end()) sources_.erase(same);
    return await_source(config, source.error());
  }
  const bool is_new = same == sources_.end();
  if (is_new)
    sources_.push_back(std::move(*source));
  else
    *same = std::move(*source);
  SourceSync& taken = is_new ? *sources_.back() : **same;
  taken.watch_if_possible();
  taken.start();
  if (was_replaced)
    log_.line(Log::Level::warning, config.path, "the other directory is taken for the source now");
  if (!is_new) taken.full_pass();  // what the targets lacked was known to the old one alone
}

// It may be away for a while. Until it is back, nothing goes by settings that are no longer wanted.
void Engine::await_source(const SourceConfig& config, const Error& error) {
  const std::string words = notify_tools::reason(error) + "; nothing is sent from there until it is there";
  log_.line(Log::Level::error, error.path, words);
  awaited_.push_back(config);
  awaited_timer_->set(awaited_pause);
  status_stale_ = true;
}

void Engine::look_for_awaited() {
  if (stopping_ || awaited_.empty()) return;
  for (SourceConfig& config : std::exchange(awaited_, {})) {
    auto source = SourceSync::create(config, around_);
    // What it is now may lie where a target is.
    if (!source || !settings_trouble(options_.config, true).empty()) {
      awaited_.push_back(std::move(config));
      continue;
    }
    sources_.push_back(std::move(*source));
    sources_.back()->watch_if_possible();
    sources_.back()->start();
    sources_.back()->full_pass();
    log_.line(Log::Level::warning, config.path, "the source is there");
    status_stale_ = true;
  }
  if (!awaited_.empty()) awaited_timer_->set(awaited_pause);
}

}  // namespace inotifysync
