// SPDX-License-Identifier: GPL-2.0-or-later
#include "inotifysync/delivery/backoff.hpp"

#include <algorithm>

namespace inotifysync {
namespace {

using Duration = Backoff::Duration;

constexpr int age_share = 40;  // the wait is this part of the outage's age

struct Waits {
  Duration first;    // doubles with every failure ...
  Duration young;    // ... up to this while the outage is young,
  Duration at_most;  // then with the outage's age, up to this
};

constexpr Waits waits_of(Backoff::Trouble trouble) {
  using namespace std::chrono_literals;
  switch (trouble) {
    case Backoff::Trouble::partial:
      return {250ms, 1500ms, 60s};
    case Backoff::Trouble::full:
      return {500ms, 1500ms, 60s};
    case Backoff::Trouble::held:
      return {500ms, 1500ms, 600s};
    case Backoff::Trouble::passing:
      break;
  }
  return {100ms, 1500ms, 60s};
}

}  // namespace

Duration Backoff::next(Trouble trouble, Duration age, double chance) {
  const Waits waits = waits_of(trouble);
  const unsigned doublings = std::min(failures_, 16U);
  ++failures_;
  const Duration young = std::min(waits.first * (1 << doublings), waits.young);
  const Duration grown = std::min(std::max(young, age / age_share), waits.at_most);
  const double kept = 1.0 - 0.2 * std::clamp(chance, 0.0, 1.0);
  return Duration(static_cast<Duration::rep>(static_cast<double>(grown.count()) * kept));
}

}  // namespace inotifysync
