// SPDX-License-Identifier: GPL-2.0-or-later
// The half of TargetWorker that says what becomes of a batch when a run has ended.
#include <algorithm>
#include <utility>

#include "inotifysync/changes/path_names.hpp"
#include "inotifysync/delivery/age.hpp"
#include "inotifysync/delivery/target_worker.hpp"

namespace inotifysync {
namespace {

using namespace std::chrono_literals;

constexpr Duration busy_moment = 20ms;
constexpr int silent_busy_retries = 16;
constexpr int full_in_a_row_at_most = 8;
// All that a run was given may have gone before it looked, and be there again.
constexpr int silent_in_a_row_at_most = 2;
// How long the other side of a connection that was cut may go on with what it has got.
constexpr Duration late_writes = 2s;

Backoff::Trouble trouble_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::hold:
    case Verdict::no_links:
      return Backoff::Trouble::held;
    case Verdict::target_full:
    case Verdict::busy:
      return Backoff::Trouble::full;
    case Verdict::partial:
      return Backoff::Trouble::partial;
    default:
      return Backoff::Trouble::passing;
  }
}

template <class To>
To in(Duration duration) {
  return std::chrono::duration_cast<To>(duration);
}

}  // namespace

void TargetWorker::account(const Outcome& outcome) {
  ++totals_.runs;
  report_.files += outcome.files;
  report_.deleted += outcome.deleted;
  report_.bytes += outcome.sent_bytes;
  if (outcome.made_anew) look_again(Loss::quiet);  // somebody took away what the target had
}

void TargetWorker::step_ended(ChildExit how) {
  const auto run = std::move(run_);
  const Step& step = batch_->steps[step_];
  Outcome outcome = judge(*run, how, step);
  if (step.only_counts && outcome.verdict == Verdict::max_delete) {
    deletions_skipped_ = true;
    const bool is_all =
        how.number == 0 || how.number == 25;  // of the rest, whose troubles have other numbers
    outcome.verdict = is_all ? Verdict::delivered : Verdict::partial;
  }
  account(outcome);
  if (run->hung() && target_.kind == Target::Kind::ssh) host_.leave_connections();
  const bool is_done = outcome.verdict == Verdict::delivered || outcome.verdict == Verdict::partial;
  if (is_done) put_back_changed(step);
  if (is_done && step.kind == StepKind::full)
    grain_.full_pass(outcome.first_sent,
                     [this](std::string_view name) { return host_.lstat(name).modified; });
  if (!is_done) {
    if (run_was_warm_ && outcome.verdict == Verdict::connection_lost)
      shorten_warm_lifetime(fed_at_ - run->started());
    return batch_broke_off(outcome);
  }
  if (outcome.verdict == Verdict::partial) step_is_partial(step, outcome);
  if (!outcome.names_nothing) silent_in_a_row_ = 0;
  ++step_;
  run_step();
}

// They must not keep others waiting, nor be tried without a pause. Returns how long that is.
Duration TargetWorker::set_troubled(const ChangeSet& paths) {
  const auto now = host_.timers().now();
  troubled_.merge(paths);
  if (!troubled_since_) troubled_since_ = now;
  const Duration again = troubled_backoff_.next(
      Backoff::Trouble::partial, in<Backoff::Duration>(age(troubled_since_, now)), host_.chance());
  troubled_timer_->set(again);
  return again;
}

// The target lives, some paths failed.
void TargetWorker::step_is_partial(const Step& step, const Outcome& outcome) {
  report_.partial = report_.partial || outcome.failed > 0;
  ChangeSet unconfirmed;
  if (step.kind != StepKind::full) put_back(step, outcome, unconfirmed);
  if (step.kind == StepKind::full && outcome.failed > 0) full_pass_troubled_ = full_pass_failed_ = true;
  const Duration again = set_troubled(unconfirmed);
  // Once is nothing: a file that is replaced while rsync looks at it fails like this.
  if (outcome.failed == 0 || (troubled_backoff_.failures() < 2 && step.kind != StepKind::full)) return;
  note_error(outcome.words);
  host_.on_trouble(target_.name, outcome.words, again);
}

void TargetWorker::try_troubled_again() {
  troubled_timer_->cancel();
  if (!troubled_.empty()) {
    views_.put_back(view_, std::exchange(troubled_, ChangeSet{}));
    lack();
  }
  if (std::exchange(full_pass_troubled_, false)) full_pass_wanted_ = true;
  start_if_possible();
}

void TargetWorker::batch_done() {
  const auto now = host_.timers().now();
  const bool was_full = batch_->full;
  full_pass_done_ = full_pass_done_ || was_full;
  if (was_full) asks_again_ = false;
  if (was_full && batch_->steps.back().deletes) {
    deletions_allowed_ = told_of_refusal_ = false;
    refusal_timer_->cancel();
    refusal_backoff_.reset();
    refused_since_.reset();
  }
  if (was_full && !views_.lacks(view_)) lacking_since_.reset();
  backoff_.reset();
  busy_in_a_row_ = full_in_a_row_ = 0;
  warm_pays_ = true;
  trouble_since_.reset();
  if (troubled_.empty() && !full_pass_troubled_) {
    troubled_backoff_.reset();
    troubled_since_.reset();
    announced_trouble_ = std::exchange(was_full_, false) || announced_trouble_;
  }
  report_.seconds = std::chrono::duration<double>(now - batch_started_).count();
  totals_.files += report_.files;
  totals_.deleted += report_.deleted;
  totals_.bytes += report_.bytes;
  totals_.last_success = host_.wall_clock();
  if (!doubted_.empty()) {
    troubled_.merge(std::exchange(doubted_, ChangeSet{}));
    if (!troubled_timer_->is_set()) troubled_timer_->set(late_writes);
  }
  if (was_full) looked_at_all();
  if (was_full) look();  // what it has made is known from now on
  if (!hindered_ && std::exchange(announced_trouble_, false)) {
    host_.on_recovered(target_.name);
    if (!was_full) look_again(Loss::told);
  }
  report_.again = report_.partial && !options_.once;
  report_.undeleted = !undeleted().empty();
  host_.on_delivered(report_, was_full);
  leave_batch();
  set_state(hindered_ ? State::held : State::idle);
  start_if_possible();
}

// Who was away may be back with an older state, or be somebody else under the same name. Full passes take no
// more than a twentieth of the time. An idle connection may be lost again and again, for nothing.
void TargetWorker::look_again(Loss loss) {
  if (!options_.looks_again || stopping_ || again_timer_->is_set()) return;
  Duration wait = std::clamp<Duration>(full_pass_took_ * 20, 2s, 1h);
  if (loss == Loss::quiet && looked_again_)
    wait = std::max(wait, *looked_again_ + quiet_apart_ - host_.timers().now());
  again_timer_->set(wait);
}

void TargetWorker::looked_at_all() {
  full_pass_took_ = host_.timers().now() - batch_started_;
  const bool found = report_.files + report_.deleted > 0;
  quiet_apart_ = found ? Duration(5s) : std::clamp<Duration>(quiet_apart_ * 2, 5s, 1h);
  again_timer_->cancel();
}

void TargetWorker::leave_batch() {
  batch_.reset();
  changes_.reset();
  in_flight_since_.reset();
  place_.reset();
  leave_place();
}

void TargetWorker::leave_place() {
  if (std::exchange(has_place_, false)) host_.leave_place(*this);
}

// Puts back everything from the step that broke off. Where nothing has been done yet, or not in the way that
// this target needs, that is the set as it was, which knows more than the steps: what was renamed, and how
// much goes with a deletion.
void TargetWorker::put_back_rest(const Outcome& outcome) {
  ChangeSet unconfirmed;
  const bool nothing_done = step_ == 0 && outcome.confirmed.empty();
  if (changes_ && !batch_->full && (nothing_done || outcome.verdict == Verdict::no_missing_args)) {
    ChangeSet before(*changes_);
    if (outcome.reached) before.doubt_births();
    views_.put_back(view_, std::move(before));
    lacking_since_ = in_flight_since_;
    return lack();
  }
  for (std::size_t i = step_; i < batch_->steps.size(); ++i) {
    if (batch_->steps[i].kind == StepKind::full)
      full_pass_wanted_ = true;
    else
      put_back(batch_->steps[i], i == step_ ? outcome : Outcome{}, unconfirmed);
  }
  if (!unconfirmed.empty()) views_.put_back(view_, std::move(unconfirmed));
  if (in_flight_since_) lacking_since_ = in_flight_since_;
  if (lacks_anything()) lack();
}

// Where the other side was killed, its temporary files stay; only a look at their directories finds them. And
// it may still write what it has been sent, later than what we do next: so these are looked at once more when
// all is well again.
void TargetWorker::doubt(const Step& step) {
  put_back(step, Outcome{}, doubted_);
  if (deletion() == Deletion::none) return;
  ChangeSet strays;
  for (const Step::Entry& entry : step.entries) strays.mark(parent_of(step.path(entry)), dirt::stray);
  if (!step.to.empty()) strays.mark(parent_of(step.to), dirt::stray);
  doubted_.merge(strays);
  views_.put_back(view_, std::move(strays));
  lack();
}

// What does not fit ends the run that brings it. All else, a full pass too, goes on without: true. Not where
// one after the other does not fit.
bool TargetWorker::set_aside(const Outcome& outcome) {
  if (outcome.verdict != Verdict::target_full) return false;
  if (full_in_a_row_ == full_in_a_row_at_most) {
    full_in_a_row_ = 0;
    return false;
  }
  ChangeSet aside, rest;
  if (batch_->full) {
    full_pass_troubled_ = true;
  } else {
    if (!put_back_apart(batch_->steps[step_], outcome, aside, rest)) return false;
    for (std::size_t i = step_ + 1; i < batch_->steps.size(); ++i)
      put_back(batch_->steps[i], Outcome{}, rest);
  }
  full_in_a_row_ = rest.empty() ? 0 : full_in_a_row_ + 1;
  if (!rest.empty()) {
    views_.put_back(view_, std::move(rest));
    lacking_since_ = in_flight_since_;
    lack();
  }
  was_full_ = true;
  note_error(outcome.words);
  host_.on_trouble(target_.name, outcome.words, set_troubled(aside));
  return true;
}

void TargetWorker::batch_broke_off(const Outcome& outcome) {
  ++totals_.failed_runs;
  const bool goes_on = set_aside(outcome);
  // Asked again in a moment, it may have a connection free.
  const bool is_busy = outcome.verdict == Verdict::busy && busy_in_a_row_ < silent_busy_retries;
  if (!goes_on) put_back_rest(outcome);
  const Step& step = batch_->steps[step_];
  const bool was_cut = outcome.verdict == Verdict::connection_lost || outcome.verdict == Verdict::retry;
  if (was_cut && outcome.reached && step.kind != StepKind::full) doubt(step);
  full_pass_failed_ = full_pass_failed_ || (batch_->full && !is_busy);
  leave_batch();
  state_ = hindered_ ? State::held : State::idle;
  if (!paused_ && !goes_on && !hindered_) settle_verdict(outcome);
  if (state_ == State::idle) start_if_possible();
  host_.on_state(*this);
}

void TargetWorker::settle_verdict(const Outcome& outcome) {
  switch (outcome.verdict) {
    case Verdict::connection_lost:
      // The waiting connection had gone stale; a new one deserves its chance at once.
      if (run_was_warm_) return look_again(Loss::quiet);
      break;
    case Verdict::silent:
      if (++silent_in_a_row_ <= silent_in_a_row_at_most) return;
      break;
    case Verdict::no_missing_args:
      if (options_.deletion == Deletion::missing_args) return delete_by_directory(outcome.words);
      break;
    case Verdict::no_links:
      if (options_.links) return send_what_is_renamed(outcome.words);
      break;
    case Verdict::no_deletion:
      if (deletion() != Deletion::none) return refuse_deletions(outcome.words);
      break;
    case Verdict::max_delete:
      if (!deletions_held_) return hold_deletions(outcome.words);
      break;
    case Verdict::source_missing:
      if (!host_.trusted_source()) return;
      break;
    default:
      break;
  }
  if (outcome.verdict == Verdict::busy && ++busy_in_a_row_ <= silent_busy_retries) return wait_a_moment();
  wait(trouble_of(outcome.verdict), outcome.words);
}

// A daemon counts a connection for a moment after it has ended: with `max connections` at its limit, our own
// last one is in our way.
void TargetWorker::wait_a_moment() {
  wait_until_ = host_.timers().now() + busy_moment * busy_in_a_row_;
  wait_timer_->set(busy_moment * busy_in_a_row_);
  set_state(State::waiting);
}

// Each new attempt would delete as many again, so only a person may say that it is right.
void TargetWorker::hold_deletions(const std::string& words) {
  deletions_held_ = true;
  retire_warm();
  note_error(words);
  host_.on_trouble(target_.name, words + "; nothing more is deleted" + (options_.once ? "" : " until SIGHUP"),
                   std::nullopt);
}

void TargetWorker::delete_by_directory(const std::string& words) {
  options_.deletion = Deletion::by_directory;
  retire_warm();
  note_error(words);
}

void TargetWorker::send_what_is_renamed(const std::string& words) {
  options_.links = false;
  note_error(words);
  host_.on_trouble(target_.name, words + "; what is renamed is sent again there", std::nullopt);
}

void TargetWorker::refuse_deletions(const std::string& words) {
  deletions_refused_ = true;
  retire_warm();
  note_error(words);
  if (std::exchange(asks_again_, false)) full_pass_wanted_ = false;
  if (!lacks_anything()) lacking_since_.reset();
  ask_again_later();
  if (!std::exchange(told_of_refusal_, true))
    host_.on_trouble(target_.name, words + "; the target refuses deletions: nothing is deleted there",
                     std::nullopt);
}

void TargetWorker::ask_to_delete_again() {
  if (!deletions_refused_) return;
  const bool for_that_alone = !full_pass_wanted_;
  want_full_pass();
  asks_again_ = for_that_alone;
}

// A full pass that asks to delete is refused at once, before anything is looked at.
void TargetWorker::ask_again_later() {
  if (!options_.looks_again || stopping_) return;
  const auto now = host_.timers().now();
  if (!refused_since_) refused_since_ = now;
  refusal_timer_->set(refusal_backoff_.next(Backoff::Trouble::held,
                                            in<Backoff::Duration>(age(refused_since_, now)), host_.chance()));
}

// Somebody may have changed the settings of the other side. True: what was passed over meanwhile is known to
// no set, so that everything has to be compared.
bool TargetWorker::try_deletions_again() {
  if (!std::exchange(deletions_refused_, false)) return false;
  retire_warm();
  return true;
}

void TargetWorker::note_error(const std::string& words) {
  totals_.last_error = words;
  totals_.last_error_at = host_.wall_clock();
}

void TargetWorker::wait(Backoff::Trouble trouble, const std::string& words) {
  const auto now = host_.timers().now();
  if (!trouble_since_) trouble_since_ = now;
  const Duration again =
      backoff_.next(trouble, in<Backoff::Duration>(age(trouble_since_, now)), host_.chance());
  wait_until_ = now + again;
  wait_timer_->set(again);
  note_error(words);
  announced_trouble_ = true;
  host_.on_trouble(target_.name, words, again);
  set_state(trouble == Backoff::Trouble::held ? State::held : State::waiting);
}

}  // namespace inotifysync
