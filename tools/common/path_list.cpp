// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/path_list.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "sys/syscall.hpp"

namespace notify_tools {

using namespace notify_core;

namespace {

std::string read_all(int fd) {
  std::string text;
  std::array<char, 65536> block;
  for (;;) {
    const std::ptrdiff_t size = sys::read(fd, block.data(), block.size());
    if (size == -EINTR) continue;
    if (size <= 0) return text;
    text.append(block.data(), static_cast<std::size_t>(size));
  }
}

}  // namespace

void PathList::add(std::string_view entry) {
  const bool exclude = entry.starts_with('@');
  const std::string_view path = entry.substr(exclude ? 1 : 0);
  if (path.empty()) return;
  (exclude ? excluded : watched).emplace_back(path);
}

void PathList::add_lines(std::string_view text) {
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    add(line.substr(0, line.find('\0')));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
  }
}

Result<void> PathList::add_file(const std::string& file) {
  if (file == "-") {
    add_lines(read_all(STDIN_FILENO));
    return {};
  }
  const int opened = sys::open_at(AT_FDCWD, file.c_str(), O_RDONLY);
  if (opened < 0) return sys::error(opened, "open", file);
  const sys::Fd owned(opened);
  add_lines(read_all(opened));
  return {};
}

}  // namespace notify_tools
