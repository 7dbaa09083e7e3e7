// SPDX-License-Identifier: GPL-2.0-or-later
#include "inotifysync/report/patient_stream.hpp"

#include <cerrno>

#include "sys/syscall.hpp"

namespace inotifysync {

namespace sys = notify_core::sys;

// -EAGAIN where it would wait. A file is waited for, and what may not be opened again (without /proc, or
// another user's terminal).
std::ptrdiff_t PatientStream::write_some(std::string_view text) {
  if (!is_known_) again_.reset(sys::open_pipe_again(fd_));
  if (!is_known_ && !again_) again_.reset(sys::open_terminal_again(fd_));
  is_known_ = true;
  if (again_) return sys::write(again_.get(), text.data(), text.size());
  const std::ptrdiff_t sent = sys::send_now(fd_, text.data(), text.size());
  if (sent != -ENOTSOCK) return sent;
  const int status = sys::write_all(fd_, text);
  return status < 0 ? status : static_cast<std::ptrdiff_t>(text.size());
}

int PatientStream::write(std::string_view line) {
  if (kept_.size() + line.size() <= most_kept)
    kept_ += line;
  else
    ++dropped_;
  return write_kept();
}

int PatientStream::write_kept() {
  while (!kept_.empty()) {
    const std::ptrdiff_t size = write_some(kept_);
    if (size == -EAGAIN) return 0;
    if (size < 0) {
      kept_.clear();
      return static_cast<int>(size);
    }
    kept_.erase(0, static_cast<std::size_t>(size));
    if (!kept_.empty() || dropped_ == 0) continue;
    kept_ = "inotifysync: " + std::to_string(dropped_) + " lines were lost here, as nobody read them\n";
    dropped_ = 0;
  }
  return 0;
}

void PatientStream::flush() {
  constexpr std::timespec patience{1, 0};
  const int to = again_ ? again_.get() : fd_;
  while (write_kept() == 0 && !kept_.empty() && sys::wait_for_either(-1, to, &patience) > 0) {
  }
}

}  // namespace inotifysync
