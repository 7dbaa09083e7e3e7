// SPDX-License-Identifier: GPL-2.0-or-later
#include "inotifysync/loop/process_group.hpp"

#include <dirent.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <csignal>
#include <memory>
#include <string>

#include "inotifysync/loop/system.hpp"

namespace inotifysync {
namespace {

// Of the line in /proc/PID/stat: "123 (name) S parent group ...".
bool runs_in_group(std::string_view stat, pid_t group) {
  const auto name_end = stat.rfind(')');
  if (name_end == std::string_view::npos || stat.size() < name_end + 4) return false;
  const char state = stat[name_end + 2];
  if (state == 'Z' || state == 'X') return false;
  const auto parent = name_end + 4;
  const auto at = std::min(stat.find(' ', parent), stat.size() - 1) + 1;
  pid_t found = 0;
  std::from_chars(stat.data() + at, stat.data() + stat.size(), found);
  return found == group;
}

// Without /proc it is taken for alive.
bool runs_according_to_proc(pid_t group) {
  const auto close = [](DIR* directory) { ::closedir(directory); };
  const std::unique_ptr<DIR, decltype(close)> processes(::opendir("/proc"), close);
  if (!processes) return true;
  while (const dirent* const entry = ::readdir(processes.get())) {
    if (entry->d_name[0] < '0' || entry->d_name[0] > '9') continue;
    const auto stat = read_file(std::string("/proc/") + entry->d_name + "/stat");
    if (stat && runs_in_group(*stat, group)) return true;
  }
  return false;
}

// The first process of a container gets what others leave behind.
void reap(pid_t group) {
  siginfo_t info{};
  do {
    info.si_pid = 0;
  } while (::waitid(P_PGID, static_cast<id_t>(group), &info, WEXITED | WNOHANG) == 0 && info.si_pid != 0);
}

}  // namespace

bool is_group_alive(pid_t group) {
  if (::kill(-group, 0) < 0 && errno == ESRCH) return false;
  reap(group);
  if (::kill(-group, 0) < 0 && errno == ESRCH) return false;
  return runs_according_to_proc(group);
}

void await_end_of_group(pid_t group) {
  using namespace std::chrono_literals;
  for (auto waited = 0ms; is_group_alive(group) && waited < 1s; waited += 2ms) ::poll(nullptr, 0, 2);
}

void reap_what_was_left(const std::set<pid_t>& children) {
  if (::getpid() != 1) return;
  for (;;) {
    siginfo_t info{};
    if (::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0 || info.si_pid == 0) return;
    if (children.contains(info.si_pid)) return;  // its own listener is about to ask; the rest at its end
    ::waitid(P_PID, static_cast<id_t>(info.si_pid), &info, WEXITED | WNOHANG);
  }
}

}  // namespace inotifysync
