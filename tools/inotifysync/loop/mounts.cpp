// SPDX-License-Identifier: GPL-2.0-or-later
#include "inotifysync/loop/mounts.hpp"

#include <fcntl.h>

#include <algorithm>
#include <charconv>
#include <functional>

#include "inotifysync/loop/system.hpp"
#include "sys/syscall.hpp"

namespace inotifysync {
namespace {

// "36 35 98:0 /part /mnt/point rw,noatime ...": counted from 1.
std::string_view word_of(std::string_view line, int number) {
  for (int word = 1; word < number; ++word) line.remove_prefix(std::min(line.find(' '), line.size() - 1) + 1);
  return line.substr(0, line.find(' '));
}
constexpr int id_word = 1, device_word = 3, root_word = 4, point_word = 5;

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

template <class Visit>
void each_mount(std::string_view table, Visit visit) {
  while (!table.empty()) {
    const std::string_view line = table.substr(0, table.find('\n'));
    table.remove_prefix(std::min(line.size() + 1, table.size()));
    if (!line.empty()) visit(line, unescaped(word_of(line, point_word)));
  }
}

std::string without_slash(std::string path) {
  if (!path.empty() && path.back() == '/') path.pop_back();
  return path;
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
  each_mount(table, [&](std::string_view, std::string point) {
    if (point.size() > below.size() && point.starts_with(below)) found.push_back(std::move(point));
  });
  return found;
}

std::vector<Mount> mounts_in(std::string_view table) {
  std::vector<Mount> found;
  each_mount(table, [&](std::string_view line, std::string point) {
    const std::string_view word = word_of(line, id_word);
    Mount& mount = found.emplace_back();
    std::from_chars(word.data(), word.data() + word.size(), mount.id);
    for (const int part : {id_word, device_word, root_word}) point.append(" ").append(word_of(line, part));
    mount.mark = std::hash<std::string>{}(point);
  });
  return found;
}

std::string place_on_disk(std::string_view table, std::string_view path) {
  std::string_view mount;
  std::string at;
  // Of two that are mounted in one place, the later one is seen.
  each_mount(table, [&](std::string_view line, std::string point) {
    point = without_slash(std::move(point));
    const bool holds = path.starts_with(point) && (path.size() == point.size() || path[point.size()] == '/');
    if (!holds || (!mount.empty() && point.size() < at.size())) return;
    mount = line;
    at = std::move(point);
  });
  if (mount.empty()) return std::string(path);
  const std::string root = without_slash(unescaped(word_of(mount, root_word)));
  return without_slash(std::string(word_of(mount, device_word)) + root + std::string(path.substr(at.size())));
}

}  // namespace inotifysync
