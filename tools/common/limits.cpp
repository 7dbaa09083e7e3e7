// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/limits.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>

#include "sys/fd.hpp"
#include "sys/syscall.hpp"

namespace notify_tools {

namespace {

namespace files = std::filesystem;

std::string text_of(const files::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// The line of /proc/PID/status that says whose process it is.
std::string owner_of(const files::path& process) {
  const std::string status = text_of(process / "status");
  const std::size_t start = std::min(status.find("\nUid:"), status.size());
  return status.substr(start, status.find('\n', start + 1) - start);
}

InotifyUse use_of(const files::path& process, int pid) {
  InotifyUse use;
  use.pid = pid;
  std::error_code hidden;
  for (const files::directory_entry& entry : files::directory_iterator(process / "fd", hidden)) {
    std::error_code gone;
    if (files::read_symlink(entry.path(), gone) != "anon_inode:inotify") continue;
    ++use.instances;
    use.watches += watches_in(text_of(process / "fdinfo" / entry.path().filename()));
  }
  if (use.instances == 0) return use;
  use.program = text_of(process / "comm");
  if (use.program.ends_with('\n')) use.program.pop_back();
  return use;
}

std::uint64_t amount(const InotifyUse& use, Limit limit) {
  return limit == Limit::watches ? use.watches : use.instances;
}

}  // namespace

std::uint64_t watches_in(std::string_view fdinfo) {
  constexpr std::string_view mark = "inotify wd:";
  std::uint64_t count = 0;
  for (std::size_t at = fdinfo.find(mark); at != std::string_view::npos; at = fdinfo.find(mark, at + 1))
    ++count;
  return count;
}

std::uint64_t inotify_limit(Limit limit) {
  const std::string text = text_of(limit == Limit::watches ? "/proc/sys/fs/inotify/max_user_watches"
                                                           : "/proc/sys/fs/inotify/max_user_instances");
  std::uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

std::vector<InotifyUse> inotify_use() {
  std::vector<InotifyUse> found;
  const std::string us = owner_of("/proc/self");
  std::error_code hidden;
  for (const files::directory_entry& entry : files::directory_iterator("/proc", hidden)) {
    const std::string name = entry.path().filename();
    int pid = 0;
    const auto parsed = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (parsed.ec != std::errc() || owner_of(entry.path()) != us) continue;
    InotifyUse use = use_of(entry.path(), pid);
    if (use.instances != 0) found.push_back(std::move(use));
  }
  return found;
}

std::vector<std::string> explain(Limit limit, std::uint64_t allowed, std::vector<InotifyUse> use,
                                 std::string_view mark_option) {
  constexpr std::size_t most_named = 5;
  const std::string_view what = limit == Limit::watches ? "watches" : "instances";
  std::ranges::stable_sort(use, std::greater(), [=](const InotifyUse& one) { return amount(one, limit); });
  std::uint64_t used = 0;
  for (const InotifyUse& one : use) used += amount(one, limit);

  std::vector<std::string> lines;
  lines.push_back(fmt::format("Your processes have {} of {} {}:", used, allowed, what));
  if (use.size() > most_named) use.resize(most_named);
  for (const InotifyUse& one : use) {
    if (amount(one, limit) == 0) break;
    lines.push_back(fmt::format("  {:>8}  {} (process {})", amount(one, limit), one.program, one.pid));
  }
  lines.push_back(fmt::format("More, until the next boot:  sysctl fs.inotify.max_user_{}={}", what,
                              std::max<std::uint64_t>(2 * allowed, 128)));
  lines.push_back(fmt::format("Without watches, for root:  the option {}, which takes one mark a filesystem",
                              mark_option));
  return lines;
}

std::string descriptor_words(std::uint64_t allowed) {
  return fmt::format("This process may have {} open files. Raise that limit:  ulimit -n {}", allowed,
                     std::max<std::uint64_t>(2 * allowed, 1024));
}

std::string descriptor_hint() {
  const notify_core::sys::Fd another(notify_core::sys::open_at(AT_FDCWD, "/dev/null", O_RDONLY));
  rlimit limit{};
  if (another.get() != -EMFILE || ::getrlimit(RLIMIT_NOFILE, &limit) < 0) return {};
  return descriptor_words(limit.rlim_cur);
}

void say_use(const Diagnostics& diagnostics, Limit limit) {
  if (!diagnostics.on_terminal()) return;
  for (const std::string& line : explain(limit, inotify_limit(limit), inotify_use())) diagnostics.say(line);
}

}  // namespace notify_tools
