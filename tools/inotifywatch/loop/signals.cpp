// SPDX-License-Identifier: GPL-2.0-or-later
#include "inotifywatch/loop/signals.hpp"

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <system_error>

#include "sys/syscall.hpp"

namespace notify_tools::inotifywatch {

using namespace notify_core;

Result<Signals> Signals::create(std::initializer_list<int> numbers) {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : numbers) sigaddset(&set, number);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  // An ignored signal is dropped even while it is blocked, so that the descriptor would never say it.
  for (const int number : numbers) std::signal(number, SIG_DFL);
  const int fd = ::signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
  if (fd < 0) return sys::error(-errno, "signalfd");
  return Signals(sys::Fd(fd));
}

int Signals::next() {
  signalfd_siginfo info{};
  const std::ptrdiff_t size = sys::read(fd_.get(), &info, sizeof info);
  return size == static_cast<std::ptrdiff_t>(sizeof info) ? static_cast<int>(info.ssi_signo) : 0;
}

Ready wait_ready(int events, int signals, std::optional<std::chrono::nanoseconds> timeout) {
  std::array<pollfd, 2> fds{{{events, POLLIN, 0}, {signals, POLLIN, 0}}};
  std::timespec time{};
  if (timeout) {
    const std::int64_t nanoseconds = std::max<std::int64_t>(timeout->count(), 0);
    time = {nanoseconds / 1'000'000'000, nanoseconds % 1'000'000'000};
  }
  if (::ppoll(fds.data(), fds.size(), timeout ? &time : nullptr, nullptr) < 0) return {};
  return {fds[0].revents != 0, fds[1].revents != 0};
}

Result<SignalThread> SignalThread::create(Signals& signals, std::function<void(int)> handle) {
  const int fd = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (fd < 0) return sys::error(-errno, "eventfd");
  sys::Fd stop(fd);
  const auto listen = [fd, &signals, handle = std::move(handle)] {
    for (;;) {
      const Ready ready = wait_ready(fd, signals.descriptor(), std::nullopt);
      if (ready.events) return;
      if (!ready.signals) continue;
      if (const int number = signals.next(); number != 0) handle(number);
    }
  };
  try {
    return SignalThread(std::move(stop), std::thread(listen));
  } catch (const std::system_error& none) {
    return sys::error(-none.code().value(), "pthread_create");
  }
}

SignalThread::~SignalThread() {
  if (!thread_.joinable()) return;
  const std::uint64_t one = 1;
  sys::write(stop_.get(), &one, sizeof one);
  thread_.join();
}

std::optional<TerminalSize> terminal_size() {
  winsize size{};
  if (::isatty(STDOUT_FILENO) == 0 || ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0) return std::nullopt;
  return TerminalSize{size.ws_row, size.ws_col};
}

}  // namespace notify_tools::inotifywatch
