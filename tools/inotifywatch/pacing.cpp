// SPDX-License-Identifier: GPL-2.0-or-later
#include "inotifywatch/pacing.hpp"

#include <algorithm>

namespace notify_tools::inotifywatch {

using namespace std::chrono_literals;

namespace {

constexpr auto window = 1ms;
constexpr std::size_t busy_events = 30;  // in a window
constexpr std::size_t worth_a_rest = 8;
constexpr int patience = 3;  // rests in vain, one after the other
constexpr auto distrust = 200ms;
constexpr std::size_t most_at_once = 4096;  // a quarter of what the queue holds, unless it was made larger
constexpr std::size_t good_many = 1024;     // events a read
constexpr Pacing::Length longest = 8ms;

}  // namespace

void Pacing::learn_from_rest(Time now, std::size_t events) {
  const bool paid = events >= worth_a_rest;
  in_vain_ = paid ? 0 : in_vain_ + 1;
  length_ = paid ? std::min(length_ * 2, longest) : shortest;
  if (in_vain_ >= patience || events >= most_at_once) no_rest_before_ = now + distrust;
}

Pacing::Length Pacing::rest_after(Time now, std::size_t events) {
  if (rested_ && events != 0) learn_from_rest(now, events);
  window_events_ += events;
  if (const auto elapsed = now - window_began_; elapsed >= window) {
    rate_ = window_events_ / static_cast<std::size_t>(elapsed / window);
    window_began_ = now;
    window_events_ = 0;
  }
  rested_ = rate_ >= busy_events && events != 0 && now >= no_rest_before_;
  if (!rested_) return Length::zero();
  return std::min(length_, std::max<Length>(window * good_many / rate_, window / 2));
}

}  // namespace notify_tools::inotifywatch
