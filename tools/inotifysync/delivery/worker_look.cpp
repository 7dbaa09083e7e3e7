// SPDX-License-Identifier: GPL-2.0-or-later
// The part of TargetWorker that looks at a local target before anything is done there, and now and then.
#include <utility>

#include "inotifysync/delivery/target_worker.hpp"

namespace inotifysync {
namespace {

using namespace std::chrono_literals;

constexpr Duration between_looks = 5s;
constexpr Duration grace = 1s;

}  // namespace

// False: nothing may be started before the answer, which starts it.
bool TargetWorker::has_looked() {
  if (!look_ || std::exchange(may_start_, false)) return true;
  look();
  return false;
}

void TargetWorker::look() {
  if (!look_ || stopping_) return;
  if (!look_timer_->is_set()) look_timer_->set(between_looks);
  if (asked_at_) return;
  asked_at_ = host_.timers().now();
  look_->ask([this](const TargetFacts& facts) { looked(facts); });
}

void TargetWorker::mounts_changed() {
  outdated_ = asked_at_.has_value();
  look();
}

void TargetWorker::look_again_or_wait() {
  look_timer_->set(between_looks);
  if (!asked_at_) return look();
  if (state_ == State::idle) leave_place();
  const bool for_ever = options_.timeout <= Duration::zero();
  if (for_ever || host_.timers().now() - *asked_at_ < options_.timeout) return;
  hinder("a look at it does not come back: does its filesystem hang? Nothing is sent there until it does");
}

void TargetWorker::looked(const TargetFacts& facts) {
  asked_at_.reset();
  if (std::exchange(outdated_, false)) return look();
  switch (guard_.judge(facts)) {
    case TargetVerdict::misplaced:
      return hinder(facts.fault + ": nothing is sent there");
    case TargetVerdict::unmounted:
      return hinder(
          "what was mounted there is gone: nothing is sent there until it is back, or SIGHUP says to");
    case TargetVerdict::changed:
      host_.on_trouble(target_.name, "another directory is in its place: everything is compared",
                       std::nullopt);
      want_full_pass();
      break;
    case TargetVerdict::trusted:
      break;
  }
  if (std::exchange(hindered_, false)) let_on();
  const bool is_free = state_ != State::running;
  may_start_ = is_free;
  if (is_free) place_ = facts.directory;
  start_if_possible();
  may_start_ = false;
  if (state_ != State::running) {
    place_.reset();
    leave_place();
  }
  host_.on_state(*this);
}

void TargetWorker::hinder(const std::string& words) {
  hindered_ = announced_trouble_ = true;
  full_pass_failed_ = full_pass_failed_ || full_pass_wanted_ || (batch_ && batch_->full);
  if (run_) run_->end(grace);
  retire_warm();
  note_error(words);
  host_.on_trouble(target_.name, words, std::nullopt);
  if (state_ == State::running) return;
  leave_place();
  wait_timer_->cancel();
  wait_until_ = host_.timers().now() + between_looks;
  set_state(State::held);
}

// What has happened there meanwhile, nobody knows.
void TargetWorker::let_on() {
  full_pass_wanted_ = true;
  lack();
  if (state_ == State::held || state_ == State::waiting) {
    wait_timer_->cancel();
    set_state(State::idle);
  }
}

}  // namespace inotifysync
