// SPDX-License-Identifier: GPL-2.0-or-later
#include "inotifysync/delivery/rsync_run.hpp"

#include <algorithm>
#include <utility>

namespace inotifysync {
namespace {

// A line a path is said, so that a batch of 100,000 paths fits. What a run says beyond that is not looked at,
// and its paths count as not confirmed.
constexpr std::size_t most_kept = std::size_t{32} << 20;

constexpr Duration longest_between_looks = std::chrono::seconds(15);
// A target that cannot be reached shows at once; and rsync or ssh gives up on it before a longer time is
// over.
constexpr Duration before_first_look = std::chrono::seconds(2);
// What a run that is not connected yet reads by then is mostly its own program and libraries.
constexpr Duration starting_up = std::chrono::seconds(1);

}  // namespace

Result<std::unique_ptr<RsyncRun>> RsyncRun::start(Spawner& spawner, Timers& timers,
                                                  const ChildCommand& command, Ended ended) {
  std::unique_ptr<RsyncRun> run(new RsyncRun(timers, std::move(ended)));
  auto child = spawner.start(command, *run);
  if (!child) return child.error();
  run->child_ = std::move(*child);
  return run;
}

void RsyncRun::feed(std::string names, Duration patience, std::function<void()> stands_still) {
  fed_ = true;
  patience_ = patience;
  between_looks_ = std::min<Duration>(patience / 4, longest_between_looks);
  stands_still_ = std::move(stands_still);
  child_->give_input(std::move(names));
  if (patience <= Duration::zero()) return;
  moved_ = child_->bytes_moved().value_or(0) + output_.size() + errors_.size();
  moved_at_ = timers_.now();
  watchdog_ = timers_.timer([this] { look_for_progress(); });
  watchdog_->set(std::min(between_looks_, starting_up));
}

// rsync's own --timeout may never fire: a client that has sent all and waits for a stopped daemon keeps the
// connection alive by itself. Bytes that the child reads and writes are what cannot be pretended. Where
// nobody can say how many these are, without /proc, none is ended.
void RsyncRun::look_for_progress() {
  const auto bytes = child_->bytes_moved();
  const std::uint64_t moved = bytes.value_or(0) + output_.size() + errors_.size();
  const auto now = timers_.now();
  const bool has_started = std::exchange(has_started_, true);
  if (!bytes || moved != moved_) {
    moved_ = moved;
    moved_at_ = now;
  } else if (now - moved_at_ >= patience_) {
    hung_ = true;
    child_->end(std::chrono::seconds(1));
    return;
  } else if (has_started) {
    stands_still_();
  }
  watchdog_->set(has_started ? between_looks_ : std::min(between_looks_, before_first_look - starting_up));
}

void RsyncRun::on_output(std::string_view bytes) {
  lines_ += static_cast<std::uint64_t>(std::count(bytes.begin(), bytes.end(), '\n'));
  keep(output_, bytes);
}

void RsyncRun::keep(std::string& text, std::string_view bytes) {
  if (text.size() < most_kept) text.append(bytes);
}

bool RsyncRun::kept_all_output() const {
  return output_.size() < most_kept;
}

bool RsyncRun::kept_all_errors() const {
  return errors_.size() < most_kept;
}

void RsyncRun::on_exit(ChildExit how) {
  watchdog_.reset();
  const auto ended = std::move(ended_);
  ended(*this, how);
}

}  // namespace inotifysync
