// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/output.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
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

void Output::write_some() {
  if (!is_behind()) return;
  if (!std::exchange(is_known_, true)) pipe_.reset(sys::open_pipe_again(fd_));
  if (!pipe_) return flush();
  fd_ = pipe_.get();
  while (is_behind()) {
    const std::ptrdiff_t size = sys::write(fd_, buffer_.data() + written_, left());
    if (size == -EAGAIN) break;
    written_ = size < 0 ? buffer_.size() : written_ + static_cast<std::size_t>(size);
  }
  forget_written();
}

void Output::flush() {
  if (is_behind()) sys::write_all(fd_, std::string_view(buffer_).substr(written_));
  written_ = buffer_.size();
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
void Output::forget_written() {
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
