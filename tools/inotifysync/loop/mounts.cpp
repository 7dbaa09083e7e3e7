// SPDX-License-Identifier: GPL-2.0-or-later
#include "inotifysync/loop/mounts.hpp"

#include <fcntl.h>

#include <algorithm>

#include "inotifysync/loop/system.hpp"
#include "sys/syscall.hpp"

namespace inotifysync {
namespace {

// "36 35 98:0 /part /mnt/point rw,noatime ...": the fifth word.
std::string_view mount_point(std::string_view line) {
  for (int word = 1; word < 5; ++word) line.remove_prefix(std::min(line.find(' '), line.size() - 1) + 1);
  return line.substr(0, line.find(' '));
}

bool is_octal(std::string_view text) {
  return text.size() == 3 && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '7'; });
}

// Space, tab, newline and backslash are written as a backslash and three octal digits.
std::string unescaped(std::string_view text) {
  std::string result;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '\\' && is_octal(text.substr(at + 1, 3))) {
      result +=
          static_cast<char>((text[at + 1] - '0') * 64 + (text[at + 2] - '0') * 8 + (text[at + 3] - '0'));
      at += 3;
    } else {
      result += text[at];
    }
  }
  return result;
}

}  // namespace

std::string mount_table() {
  auto table = read_file("/proc/self/mountinfo");
  return table ? std::move(*table) : std::string();
}

notify_core::sys::Fd open_mount_table() {
  return notify_core::sys::Fd(notify_core::sys::open_at(AT_FDCWD, "/proc/self/mountinfo", O_RDONLY));
}

std::vector<std::string> mounts_below(std::string_view table, std::string_view root) {
  std::vector<std::string> found;
  const std::string below = (root == "/" ? std::string() : std::string(root)) + "/";
  while (!table.empty()) {
    const std::string_view line = table.substr(0, table.find('\n'));
    table.remove_prefix(std::min(line.size() + 1, table.size()));
    if (line.empty()) continue;
    if (std::string point = unescaped(mount_point(line));
        point.size() > below.size() && point.starts_with(below))
      found.push_back(std::move(point));
  }
  return found;
}

}  // namespace inotifysync
