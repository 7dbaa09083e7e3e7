// SPDX-License-Identifier: GPL-2.0-or-later
#include "inotifysync/loop/apart.hpp"

#include <pthread.h>

#include <csignal>
#include <system_error>
#include <thread>
#include <utility>

namespace inotifysync {

bool run_apart(std::function<void()> work) {
  sigset_t all, before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);  // a thread begins with its maker's mask
  bool runs = true;
  try {
    std::thread(std::move(work)).detach();
  } catch (const std::system_error&) {
    runs = false;
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return runs;
}

}  // namespace inotifysync
