// SPDX-License-Identifier: GPL-2.0-or-later
#include "inotifysync/loop/apart.hpp"

#include <pthread.h>
#include <unistd.h>

#include <csignal>
#include <system_error>
#include <thread>
#include <utility>

#include "common/last_words.hpp"

namespace inotifysync {
namespace {

constexpr int system_error = 71;  // EX_OSERR

}  // namespace

bool run_apart(std::function<void()> work) {
  sigset_t all, before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);  // a thread begins with its maker's mask
  bool runs = true;
  try {
    // Nobody else can end the program in order: its other threads go on meanwhile.
    std::thread([work = std::move(work)] {
      const auto done = [&] { return work(), 0; };
      if (const int status = notify_tools::with_last_words("inotifysync", system_error, done); status != 0)
        ::_exit(status);
    }).detach();
  } catch (const std::system_error&) {
    runs = false;
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return runs;
}

}  // namespace inotifysync
