// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/diagnostics.hpp"

#include <fcntl.h>
#include <syslog.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

#include "common/visible.hpp"
#include "sys/syscall.hpp"

namespace notify_tools {

using namespace notify_core;

Diagnostics::Diagnostics(std::string_view program) : program_(program.substr(program.rfind('/') + 1)) {}

void Diagnostics::use_syslog() {
  ::openlog(program_.c_str(), LOG_CONS | LOG_PID | LOG_NDELAY, LOG_DAEMON);
  syslog_ = true;
}

bool Diagnostics::on_terminal() const {
  return !syslog_ && ::isatty(STDERR_FILENO) == 1;
}

void Diagnostics::say(std::string_view line) const {
  if (syslog_) {
    ::syslog(LOG_INFO, "%.*s\n", static_cast<int>(line.size()), line.data());
    return;
  }
  std::string text = on_terminal() ? visible(line) : std::string(line);
  text += '\n';
  sys::write_all(STDERR_FILENO, text);
}

bool wants_colours() {
  const char* const forbidden = std::getenv("NO_COLOR");
  const char* const terminal = std::getenv("TERM");
  return ::isatty(STDERR_FILENO) == 1 && (forbidden == nullptr || *forbidden == '\0') &&
         terminal != nullptr && std::string_view(terminal) != "dumb";
}

std::string reason(const Error& error) {
  return error.detail.empty() ? std::string(std::strerror(error.number)) : error.detail;
}

void open_missing_standard_streams() {
  int opened = sys::open_at(AT_FDCWD, "/dev/null", O_RDWR);
  while (opened >= 0 && opened <= STDERR_FILENO) opened = sys::open_at(AT_FDCWD, "/dev/null", O_RDWR);
  sys::Fd above(opened);
}

}  // namespace notify_tools
