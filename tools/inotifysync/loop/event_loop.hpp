// SPDX-License-Identifier: GPL-2.0-or-later
// One thread waits here for everything: descriptors, timers, signals. Who has registered is called back from
// run(); a handler may register, remove and destroy whatever it likes, itself included.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <unordered_map>
#include <utility>

#include "notify_core/error.hpp"
#include "sys/fd.hpp"

namespace inotifysync {

using notify_core::Error;
using notify_core::Result;
using Clock = std::chrono::steady_clock;
using Duration = std::chrono::nanoseconds;

// Calls back once, some time after it was set; setting it again replaces the first. Not called after its end.
class Timer {
 public:
  virtual ~Timer() = default;
  virtual void set(Duration after) = 0;
  virtual void cancel() = 0;
  virtual bool is_set() const = 0;
};

// What a state machine needs to know of time; a test has its own.
class Timers {
 public:
  virtual ~Timers() = default;
  virtual Clock::time_point now() const = 0;
  virtual std::unique_ptr<Timer> timer(std::function<void()> expired) = 0;
};

class EventLoop : public Timers {
 public:
  using Ready = std::function<void(std::uint32_t epoll_events)>;

  static Result<std::unique_ptr<EventLoop>> create();

  // Registers `fd`, which stays its owner's; it must be removed before it is closed. `epoll_events` as in
  // epoll_ctl(2).
  Result<void> add(int fd, std::uint32_t epoll_events, Ready ready);
  void remove(int fd);

  // These signals wait from now on until somebody takes them.
  static void hold_signals(std::initializer_list<int> signals);
  // From now on these signals are blocked for the thread, and come as calls of `received`. Once a loop.
  Result<void> take_signals(std::initializer_list<int> signals, std::function<void(int)> received);

  Clock::time_point now() const override { return Clock::now(); }
  std::unique_ptr<Timer> timer(std::function<void()> expired) override;

  // Called before each wait, when all that was ready has been handled.
  void before_wait(std::function<void()> work) { before_wait_ = std::move(work); }

  // Until stop(). An error is one of epoll_wait(2).
  Result<void> run();
  void stop() { stopped_ = true; }

 private:
  struct Registration {
    int fd;
    Ready ready;
  };
  class DueTimer;
  using Due = std::pair<Clock::time_point, std::uint64_t>;  // when, and a serial, for no two are alike

  EventLoop(notify_core::sys::Fd epoll, notify_core::sys::Fd clock)
      : epoll_(std::move(epoll)), clock_(std::move(clock)) {}
  void dispatch(std::uint64_t serial, std::uint32_t epoll_events);
  void arm();
  void expire_due();
  void read_signals(const std::function<void(int)>& received);

  notify_core::sys::Fd epoll_;
  // One for all timers: a timer can be made and set when descriptors have run out.
  notify_core::sys::Fd clock_;
  Clock::time_point armed_ = Clock::time_point::max();  // when it wakes us; max: never
  std::map<Due, DueTimer*> due_;
  notify_core::sys::Fd signals_;
  // A descriptor number may be used again within one round of ready events; a serial never is.
  std::unordered_map<std::uint64_t, std::shared_ptr<Registration>> registered_;
  std::unordered_map<int, std::uint64_t> serial_of_;
  std::uint64_t last_serial_ = 0;
  std::function<void()> before_wait_;
  bool stopped_ = false;
};

}  // namespace inotifysync
