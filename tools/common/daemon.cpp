// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/daemon.hpp"

#include <fcntl.h>
#include <unistd.h>

#include "sys/syscall.hpp"

namespace notify_tools {

using namespace notify_core;

Result<Side> go_to_background() {
  const sys::Fd nothing(sys::open_at(AT_FDCWD, "/dev/null", O_RDWR));
  if (!nothing) return sys::error(nothing.get(), "open", "/dev/null");
  const int child = sys::fork();
  if (child < 0) return sys::error(child, "fork");
  if (child > 0) return Side::parent;
  sys::new_session();
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    sys::duplicate_onto(nothing.get(), stream);
  return Side::child;
}

}  // namespace notify_tools
