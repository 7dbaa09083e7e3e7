// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/output.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "sys/syscall.hpp"

namespace notify_tools {

using namespace notify_core;

constexpr int pipe_size = 1 << 20;

Output::Output(int fd, sys::Fd owned) : fd_(fd), owned_(std::move(owned)) {}

Output Output::standard() {
  return Output(STDOUT_FILENO, sys::Fd());
}

Result<Output> Output::to_file(const std::string& path) {
  sys::Fd opened(sys::open_at(AT_FDCWD, path.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600));
  const int number = opened.get();
  if (!opened) return sys::error(number, "open", path);
  return Output(number, std::move(opened));
}

// False where there is no room now, or trouble.
[[gnu::hot]] bool Output::write_once() {
  const std::ptrdiff_t size = sys::write(fd_, buffer_.data() + written_, left());
  // Only now: what many readers who are quick enough never need, counts against what their user may have in
  // all pipes together (pipe(7)).
  if (size == -EAGAIN && !std::exchange(is_enlarged_, true)) return sys::enlarge_pipe(fd_, pipe_size) >= 0;
  if (size == -EAGAIN) return false;
  const bool unheard = size == -EPIPE;
  trouble_ = size < 0 && !unheard ? static_cast<int>(size) : 0;
  if (trouble_ == 0) has_dropped_ = false;
  if (size >= 0) {
    written_ += static_cast<std::size_t>(size);
  } else if (unheard || left() > most_kept) {
    has_dropped_ = !unheard;
    written_ = buffer_.size();
  }
  return trouble_ == 0;
}

[[gnu::hot]] void Output::write_some() {
  if (left() == 0) return;
  if (!std::exchange(is_known_, true)) pipe_.reset(sys::open_pipe_again(fd_));
  if (!pipe_) return flush();
  fd_ = pipe_.get();
  while (left() != 0 && write_once()) {
  }
  forget_written();
}

void Output::flush() {
  while (left() != 0) {
    if (write_once()) continue;
    if (trouble_ != 0) break;
    sys::wait_for_either(-1, fd_, nullptr);
  }
  forget_written();
}

void Output::write_what_is_too_much() {
  write_some();
  while (left() > most_kept) {
    sys::wait_for_either(-1, fd_, nullptr);
    write_some();
  }
}

// Moves what is left to the front seldom enough that each byte is moved once at most; a buffer that has been
// large gives its memory back.
[[gnu::hot]] void Output::forget_written() {
  if (written_ == buffer_.size()) {
    if (buffer_.capacity() > 4 * enough) std::string().swap(buffer_);
    buffer_.clear();
    written_ = 0;
  } else if (written_ >= left()) {
    buffer_.erase(0, written_);
    written_ = 0;
  }
}

}  // namespace notify_tools
