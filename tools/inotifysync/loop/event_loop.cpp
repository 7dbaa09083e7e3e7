// SPDX-License-Identifier: GPL-2.0-or-later
#include "inotifysync/loop/event_loop.hpp"

#include <pthread.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>

#include "sys/syscall.hpp"

namespace inotifysync {

namespace sys = notify_core::sys;

namespace {

constexpr Duration longest_wait = std::chrono::hours(24 * 365 * 100);

sigset_t set_of(std::initializer_list<int> signals) {
  sigset_t set;
  ::sigemptyset(&set);
  for (const int number : signals) ::sigaddset(&set, number);
  return set;
}

}  // namespace

class EventLoop::DueTimer : public Timer {
 public:
  DueTimer(EventLoop& loop, std::function<void()> expired) : loop_(loop), expired_(std::move(expired)) {}
  DueTimer(const DueTimer&) = delete;
  DueTimer& operator=(const DueTimer&) = delete;
  ~DueTimer() override { cancel(); }

  void set(Duration after) override {
    cancel();
    due_ = {loop_.now() + std::clamp(after, Duration{1}, longest_wait), ++loop_.last_serial_};
    is_set_ = true;
    loop_.due_.emplace(due_, this);
    loop_.arm();
  }
  void cancel() override {
    if (is_set_) loop_.due_.erase(due_);
    is_set_ = false;
  }
  bool is_set() const override { return is_set_; }

  void expire() {
    cancel();
    const auto expired = expired_;  // the call may destroy this timer
    expired();
  }

 private:
  EventLoop& loop_;
  std::function<void()> expired_;
  Due due_;
  bool is_set_ = false;
};

Result<std::unique_ptr<EventLoop>> EventLoop::create() {
  sys::Fd epoll(::epoll_create1(EPOLL_CLOEXEC));
  if (!epoll) return sys::error(-errno, "epoll_create1");
  sys::Fd clock(::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC));
  if (!clock) return sys::error(-errno, "timerfd_create");
  std::unique_ptr<EventLoop> loop(new EventLoop(std::move(epoll), std::move(clock)));
  const auto listening =
      loop->add(loop->clock_.get(), EPOLLIN, [raw = loop.get()](std::uint32_t) { raw->expire_due(); });
  if (!listening) return listening.error();
  return loop;
}

Result<void> EventLoop::add(int fd, std::uint32_t epoll_events, Ready ready) {
  const std::uint64_t serial = ++last_serial_;
  epoll_event event{};
  event.events = epoll_events;
  event.data.u64 = serial;
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) < 0) return sys::error(-errno, "epoll_ctl");
  registered_[serial] = std::make_shared<Registration>(Registration{fd, std::move(ready)});
  serial_of_[fd] = serial;
  return {};
}

void EventLoop::remove(int fd) {
  const auto found = serial_of_.find(fd);
  if (found == serial_of_.end()) return;
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
  registered_.erase(found->second);
  serial_of_.erase(found);
}

void EventLoop::hold_signals(std::initializer_list<int> signals) {
  const sigset_t set = set_of(signals);
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

Result<void> EventLoop::take_signals(std::initializer_list<int> signals, std::function<void(int)> received) {
  hold_signals(signals);
  const sigset_t set = set_of(signals);
  signals_.reset(::signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
  if (!signals_) return sys::error(-errno, "signalfd");
  return add(signals_.get(), EPOLLIN,
             [this, received = std::move(received)](std::uint32_t) { read_signals(received); });
}

void EventLoop::read_signals(const std::function<void(int)>& received) {
  signalfd_siginfo info{};
  while (sys::read(signals_.get(), &info, sizeof info) == sizeof info)
    received(static_cast<int>(info.ssi_signo));
}

std::unique_ptr<Timer> EventLoop::timer(std::function<void()> expired) {
  return std::make_unique<DueTimer>(*this, std::move(expired));
}

// For the first that is due, unless the clock wakes us before that anyway.
void EventLoop::arm() {
  if (due_.empty() || due_.begin()->first.first >= armed_) return;
  armed_ = due_.begin()->first.first;
  const Duration left = std::max<Duration>(armed_ - now(), Duration{1});
  itimerspec value{};
  value.it_value.tv_sec = left.count() / 1'000'000'000;
  value.it_value.tv_nsec = left.count() % 1'000'000'000;
  ::timerfd_settime(clock_.get(), 0, &value, nullptr);
}

// What is set by those that are called is later than now, so it waits for the next time.
void EventLoop::expire_due() {
  std::uint64_t times = 0;
  if (sys::read(clock_.get(), &times, sizeof times) <= 0) return;
  armed_ = Clock::time_point::max();
  const Clock::time_point moment = now();
  while (!stopped_ && !due_.empty() && due_.begin()->first.first <= moment) due_.begin()->second->expire();
  arm();
}

void EventLoop::dispatch(std::uint64_t serial, std::uint32_t epoll_events) {
  const auto found = registered_.find(serial);
  if (found == registered_.end()) return;  // removed by a handler that ran before it in this round
  const std::shared_ptr<Registration> alive = found->second;
  alive->ready(epoll_events);
}

Result<void> EventLoop::run() {
  std::array<epoll_event, 64> ready;
  while (!stopped_) {
    if (before_wait_) before_wait_();
    if (stopped_) break;
    const int count = ::epoll_wait(epoll_.get(), ready.data(), static_cast<int>(ready.size()), -1);
    if (count < 0 && errno != EINTR) return sys::error(-errno, "epoll_wait");
    for (int i = 0; i < count && !stopped_; ++i) {
      const auto& event = ready[static_cast<std::size_t>(i)];
      dispatch(event.data.u64, event.events);
    }
  }
  return {};
}

}  // namespace inotifysync
