// SPDX-License-Identifier: GPL-2.0-or-later
// The part of TargetWorker that looks at a local target before anything is done there, and now and then.
#include <utility>

#include "inotifysync/delivery/target_worker.hpp"

namespace inotifysync {
namespace {

using namespace std::chrono_literals;

constexpr Duration between_looks = 5s;
// A look that may be older than that, by when the next one should have come, is none.
constexpr Duration fresh = 2 * between_looks;
// A full pass takes away whatever the source has not: it is not to go by what was there a while ago.
constexpr Duration fresh_for_full_pass = 500ms;
constexpr Duration grace = 1s;

}  // namespace

// False: nothing may be started before the answer, which starts it.
bool TargetWorker::has_looked() {
  if (!look_) return true;
  const Duration may_be_old = full_pass_wanted_ ? fresh_for_full_pass : fresh;
  if (seen_at_ && host_.timers().now() - *seen_at_ < may_be_old) return true;
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

void TargetWorker::look_again_or_wait() {
  look_timer_->set(between_looks);
  if (!asked_at_) return look();
  if (host_.timers().now() - *asked_at_ < options_.timeout) return;
  hinder("a look at it does not come back: does its filesystem hang? Nothing is sent there until it does");
}

void TargetWorker::looked(const TargetFacts& facts) {
  const auto asked = std::exchange(asked_at_, std::nullopt);
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
  seen_at_ = asked;
  if (std::exchange(hindered_, false)) let_on();
  start_if_possible();
}

void TargetWorker::hinder(const std::string& words) {
  hindered_ = announced_trouble_ = true;
  seen_at_.reset();
  full_pass_failed_ = full_pass_failed_ || full_pass_wanted_;
  if (run_) run_->end(grace);
  retire_warm();
  note_error(words);
  host_.on_trouble(target_.name, words, std::nullopt);
  if (state_ == State::running) return;
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
