// SPDX-License-Identifier: GPL-2.0-or-later
#include "inotifysync/delivery/target_worker.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "inotifysync/delivery/age.hpp"
#include "inotifysync/loop/system.hpp"

namespace inotifysync {
namespace {

using namespace std::chrono_literals;

// A waiting connection that ended by itself after this long was dropped for idleness; before, it never
// worked.
constexpr Duration warm_worked = 5s;
constexpr Duration warm_was_connected = 1s;
constexpr Duration shortest_warm_lifetime = 5s;
constexpr Duration retirement = 2s;
constexpr Duration pause_grace = 1s;
// A full pass may read disks on either side for long without a word between them.
constexpr int full_pass_patience = 5;

bool names_missing(const Step& step) {
  return std::any_of(step.entries.begin(), step.entries.end(),
                     [](const auto& entry) { return entry.missing; });
}

// What is not known to be missing when a batch is planned is overlooked when it is by then, and not deleted.
Deletion without_missing(Deletion deletion) {
  return deletion == Deletion::missing_args ? Deletion::by_directory : deletion;
}

}  // namespace

TargetWorker::TargetWorker(Target target, WorkerOptions options, Views& views, std::size_t view,
                           WorkerHost& host)
    : target_(std::move(target)), options_(std::move(options)), views_(views), view_(view), host_(host) {
  look_ = host_.look_at(target_);
  look_timer_ = host_.timers().timer([this] { look_again_or_wait(); });
  pace_timer_ = host_.timers().timer([this] { start_if_possible(); });
  wait_timer_ = host_.timers().timer([this] {
    set_state(State::idle);
    start_if_possible();
  });
  troubled_timer_ = host_.timers().timer([this] { try_troubled_again(); });
  again_timer_ = host_.timers().timer([this] {
    looked_again_ = host_.timers().now();
    want_full_pass();
  });
  refusal_timer_ = host_.timers().timer([this] { ask_to_delete_again(); });
  warm_timer_ = host_.timers().timer([this] { retire_warm(); });
  retire_timer_ = host_.timers().timer([this] {
    retiring_.reset();
    retired();
  });
}

bool TargetWorker::lacks_anything() const {
  return full_pass_wanted_ || views_.lacks(view_);
}

bool TargetWorker::has_done_all() const {
  const bool in_trouble = full_pass_troubled_ || !troubled_.empty();
  return state_ == State::idle && full_pass_done_ && !lacks_anything() && !in_trouble;
}

std::string_view TargetWorker::undeleted() const {
  if (deletions_held_) return "--max-delete keeps what is to be deleted";
  if (deletions_refused_) return "it refuses deletions";
  if (deletions_skipped_) return "the source is empty, or part of it unmounted, so nothing was deleted";
  return {};
}

void TargetWorker::set_state(State state) {
  state_ = state;
  host_.on_state(*this);
}

void TargetWorker::lack() {
  if (!lacking_since_) lacking_since_ = host_.timers().now();
}

void TargetWorker::changed() {
  if (views_.lacks(view_)) lack();
  start_if_possible();
}

void TargetWorker::want_full_pass() {
  try_deletions_again();
  full_pass_wanted_ = true;
  asks_again_ = false;
  lack();
  start_if_possible();
}

void TargetWorker::pause() {
  paused_ = true;
  if (state_ == State::idle) leave_place();
  if (run_) run_->end(pause_grace);
  retire_warm();
}

void TargetWorker::resume() {
  paused_ = false;
  start_if_possible();
}

void TargetWorker::retry_now() {
  if (deletions_held_) {
    deletions_held_ = false;
    deletions_allowed_ = true;
    retire_warm();
    full_pass_wanted_ = true;
  }
  full_pass_wanted_ = try_deletions_again() || full_pass_wanted_;
  if (hindered_) guard_.forget();
  backoff_.reset();
  if (!troubled_.empty() || full_pass_troubled_) try_troubled_again();
  if (state_ == State::waiting || state_ == State::held) {
    wait_timer_->cancel();
    set_state(State::idle);
  }
  start_if_possible();
}

void TargetWorker::use_program(const std::string& program) {
  if (std::exchange(options_.rsync.program, program) != program) retire_warm();
}

void TargetWorker::stop() {
  stopping_ = true;
  again_timer_->cancel();
  refusal_timer_->cancel();
  look_timer_->cancel();
  retire_warm();
}

void TargetWorker::abort(Duration grace) {
  if (run_) run_->end(grace);
}

// --- Starting ---

void TargetWorker::start_if_possible() {
  if (!look_timer_->is_set()) look();
  if (state_ != State::idle || paused_ || stopping_ || retiring_) return;
  if (!lacks_anything()) return warm_up();
  if (const Duration wait = pace_.wait(host_.timers().now()); wait > Duration::zero()) {
    pace_timer_->set(wait);
    if (views_.queue_length(view_) < Pace::long_list) warm_up();
    return;
  }
  if (!host_.trusted_source() || paused_) return;
  if (!has_place_ && !(has_place_ = host_.take_place(*this))) return;
  if (!has_looked()) return;
  start_batch();
}

void TargetWorker::start_batch() {
  batch_started_ = host_.timers().now();
  pace_.started(batch_started_);
  report_ = BatchReport{.target = target_.name};
  batch_ = full_pass_wanted_ ? full_batch() : next_batch();
  step_ = 0;
  state_ = State::running;
  run_step();
}

std::shared_ptr<const Batch> TargetWorker::full_batch() {
  full_pass_wanted_ = full_pass_troubled_ = false;
  views_.doubt_births(view_);
  PlanOptions options;
  options.deletion = host_.may_delete_in_full_pass() ? deletion() : Deletion::none;
  deletions_skipped_ = false;
  auto batch = std::make_shared<Batch>();
  batch->full = true;
  batch->trees.emplace_back();
  batch->steps.push_back(full_step(options));
  // Somebody has looked and said go on: what --max-delete stopped is deleted now, however much it is.
  batch->steps.back().counted = deletions_allowed_;
  // Where nothing may be deleted, it is to be known whether something should be.
  batch->steps.back().only_counts = options.deletion != deletion();
  return batch;
}

std::shared_ptr<const Batch> TargetWorker::next_batch() {
  changes_ = views_.take(view_);
  in_flight_since_ = std::exchange(lacking_since_, std::nullopt);
  auto batch = host_.plan(changes_, deletion(), options_.links);
  if (batch->full && !host_.may_delete_in_full_pass())
    return host_.plan(changes_, Deletion::none, options_.links);
  if (!options_.max_delete || batch->missing <= *options_.max_delete) return batch;
  hold_deletions("--max-delete: " + std::to_string(batch->missing) + " paths are to be deleted, more than " +
                 std::to_string(*options_.max_delete));
  return host_.plan(changes_, deletion(), options_.links);
}

// One connection a target at any time: a daemon may allow no more.
void TargetWorker::run_step() {
  if (step_ == batch_->steps.size()) return batch_done();
  if (hindered_) return batch_broke_off(Outcome{});
  const Step& step = batch_->steps[step_];
  run_was_warm_ = warm_ && fits_warm(step, deletion_of_warm(), options_.rsync.max_delete.has_value());
  if (warm_ && !run_was_warm_) retire_warm();
  if (retiring_) return;  // retired() calls again
  if (run_was_warm_) {
    warm_timer_->cancel();
    run_ = std::move(warm_);
    open_path_ = batch_->source;
  } else if (!start_cold(step)) {
    return;
  }
  fed_at_ = host_.timers().now();
  losses_before_ = host_.losses();
  // A run that stands still takes nothing that another would need.
  run_->feed(step.names, options_.timeout * (step.kind == StepKind::full ? full_pass_patience : 1),
             [this] { leave_place(); });
}

RsyncSettings TargetWorker::settings() {
  RsyncSettings now = options_.rsync;
  now.time_window = grain_.window();
  if (target_.kind == Target::Kind::ssh) now.control_directory = host_.control_directory();
  return now;
}

bool TargetWorker::start_cold(const Step& step) {
  const notify_core::sys::Fd source = host_.trusted_source();
  if (!source) {
    batch_broke_off(Outcome{});
    return false;
  }
  RsyncSettings how = settings();
  open_path_ = step.from_root ? batch_->source : path_for_heir(source);
  if (!step.from_root && !open_path_.empty()) how.source = open_path_;
  if (place_) how.target_place = open_place_ = path_for_heir(*place_);
  const ChildCommand command{rsync_command(how, target_, step, deletion_of(step)),
                             rsync_environment(options_.rsync, target_),
                             {source.get(), place_ ? place_->get() : -1}};
  auto started = RsyncRun::start(host_.spawner(), host_.timers(), command, ended());
  if (started) {
    run_ = std::move(*started);
    return true;
  }
  Outcome failed;
  failed.words = "cannot start " + command.arguments.front() + ": " + std::strerror(started.error().number);
  batch_broke_off(failed);
  return false;
}

Deletion TargetWorker::deletion_of(const Step& step) const {
  if (step.kind == StepKind::full && !step.deletes && !step.only_counts) return Deletion::none;
  if (step.kind == StepKind::exact && !names_missing(step)) return without_missing(deletion());
  return deletion();
}

// The waiting connection stands in "/", so that it keeps no source from being unmounted; what it is to send
// it finds by the path in the list. Where another directory may come to stand there, everything would seem to
// be missing from it; there it never deletes.
Deletion TargetWorker::deletion_of_warm() const {
  // Nor by the path of a target that may come to lead elsewhere.
  if (look_) return without_missing(deletion());
  return options_.warm_deletes ? deletion() : without_missing(deletion());
}

RsyncRun::Ended TargetWorker::ended() {
  return [this](RsyncRun& run, ChildExit how) { run_ended(run, how); };
}

void TargetWorker::run_ended(RsyncRun& run, ChildExit how) {
  if (&run == run_.get()) return step_ended(how);
  if (&run == warm_.get()) {
    const auto ended = std::move(warm_);
    return warm_ended(*ended, how);
  }
  const auto ended = std::move(retiring_);
  retired();
}

// --- The warm connection ---

void TargetWorker::warm_up() {
  if (!options_.warm || !warm_pays_ || warm_ || retiring_ || paused_ || stopping_) return;
  const ChildCommand command{warm_command(settings(), target_, deletion_of_warm()),
                             rsync_environment(options_.rsync, target_)};
  auto started = RsyncRun::start(host_.spawner(), host_.timers(), command, ended());
  if (!started) return;  // the next batch will say why
  warm_ = std::move(*started);
  warm_timer_->set(options_.warm_lifetime);
}

// Nobody asked it for anything. Where it had worked, it is renewed; else the target is in trouble.
void TargetWorker::warm_ended(const RsyncRun& run, ChildExit how) {
  warm_timer_->cancel();
  const Duration lived = host_.timers().now() - run.started();
  look_again(Loss::quiet);
  if (lived >= warm_worked) {
    shorten_warm_lifetime(lived);
    return start_if_possible();
  }
  run_was_warm_ = false;  // it has not been used, so a new one at once would fare no better
  Outcome outcome = judge(run, how, Step{});
  if (outcome.words.empty()) outcome.words = "rsync ended before it was given anything";
  // Where the other side has so little patience, none waits until there has been something to do.
  if (lived >= warm_was_connected && outcome.verdict == Verdict::connection_lost) {
    warm_pays_ = false;
    return;
  }
  settle_verdict(outcome);
  if (state_ == State::idle) start_if_possible();
}

void TargetWorker::shorten_warm_lifetime(Duration lived) {
  options_.warm_lifetime = std::max(shortest_warm_lifetime, std::min(options_.warm_lifetime, lived / 2));
}

// Without names it has nothing to do and ends in good order, so that no daemon logs a broken connection.
void TargetWorker::retire_warm() {
  warm_timer_->cancel();
  if (!warm_) return;
  retiring_ = std::move(warm_);
  retire_timer_->set(retirement);
  retiring_->feed("", Duration::zero());
}

void TargetWorker::retired() {
  retire_timer_->cancel();
  if (state_ == State::running && !run_)
    run_step();
  else
    start_if_possible();
  host_.on_state(*this);
}

// --- For people ---

TargetStatus TargetWorker::status() const {
  static constexpr const char* names[] = {"idle", "running", "waiting", "held"};
  const auto now = host_.timers().now();
  TargetStatus status = totals_;
  status.name = target_.name;
  status.operand = target_.operand;
  status.state = names[static_cast<std::size_t>(state_)];
  if (state_ == State::idle && deletions_held_) status.state = "held";
  if (state_ == State::running && !full_pass_done_ && batch_ && batch_->full) status.state = "starting";
  const auto oldest = in_flight_since_ ? in_flight_since_ : lacking_since_ ? lacking_since_ : troubled_since_;
  status.lag_seconds = std::chrono::duration<double>(age(oldest, now)).count();
  status.queue = queue_length();
  status.under_way = run_ ? run_->lines() : 0;
  if (state_ == State::waiting || state_ == State::held)
    status.next_try_seconds = std::max(0.0, std::chrono::duration<double>(wait_until_ - now).count());
  status.up_to_date = up_to_date();
  status.deletes = deletion() != Deletion::none;
  return status;
}

std::size_t TargetWorker::queue_length() const {
  return views_.queue_length(view_) + troubled_.size() + (batch_ ? batch_->paths : 0);
}

}  // namespace inotifysync
