// SPDX-License-Identifier: GPL-2.0-or-later
#include "inotifywatch/pacing.hpp"

namespace notify_tools::inotifywatch {

using namespace std::chrono_literals;

namespace {

constexpr auto window = 1ms;
constexpr std::size_t busy_events = 30;  // in a window
constexpr std::size_t worth_a_rest = 8;
constexpr int patience = 3;  // rests in vain, one after the other
constexpr auto distrust = 200ms;
constexpr std::size_t most_at_once = 4096;  // a quarter of what the queue holds, unless it was made larger

}  // namespace

bool Pacing::rest_after(Time now, std::size_t events) {
  if (rested_ && events != 0) {
    in_vain_ = events < worth_a_rest ? in_vain_ + 1 : 0;
    if (in_vain_ >= patience || events >= most_at_once) no_rest_before_ = now + distrust;
  }
  window_events_ += events;
  if (const auto elapsed = now - window_began_; elapsed >= window) {
    busy_ = window_events_ >= busy_events * static_cast<std::size_t>(elapsed / window);
    window_began_ = now;
    window_events_ = 0;
  }
  rested_ = busy_ && events != 0 && now >= no_rest_before_;
  return rested_;
}

}  // namespace notify_tools::inotifywatch
