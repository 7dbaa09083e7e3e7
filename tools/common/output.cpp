// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/output.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <utility>

#include "sys/syscall.hpp"

namespace notify_tools {

using namespace notify_core;

Output::Output(int fd, sys::Fd owned) : fd_(fd), owned_(std::move(owned)) {}

Output Output::standard() {
  sys::enlarge_pipe(STDOUT_FILENO, 1 << 20);
  return Output(STDOUT_FILENO, sys::Fd());
}

Result<Output> Output::to_file(const std::string& path) {
  sys::Fd opened(sys::open_at(AT_FDCWD, path.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600));
  const int number = opened.get();
  if (!opened) return sys::error(number, "open", path);
  return Output(number, std::move(opened));
}

void Output::flush() {
  if (buffer_.empty()) return;
  sys::write_all(fd_, buffer_);
  buffer_.clear();
}

}  // namespace notify_tools
