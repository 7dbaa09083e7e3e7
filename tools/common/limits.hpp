// SPDX-License-Identifier: GPL-2.0-or-later
// Who uses up inotify's limits, and how to raise them: for a person at a terminal.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/diagnostics.hpp"

namespace notify_tools {

struct InotifyUse {
  std::string program;  // its name as ps(1) shows it
  int pid = 0;
  std::uint64_t instances = 0;
  std::uint64_t watches = 0;

  bool operator==(const InotifyUse&) const = default;
};

enum class Limit { watches, instances };

// The use by processes of this user, as far as /proc shows it.
std::vector<InotifyUse> inotify_use();
// /proc/sys/fs/inotify/max_user_watches or max_user_instances; 0 where it cannot be read.
std::uint64_t inotify_limit(Limit limit);

// How many watches the text of a /proc/PID/fdinfo/N names; pure.
std::uint64_t watches_in(std::string_view fdinfo);
// Lines that say how much is used, by whom, and what to do; pure. `mark_option`: what makes the program watch
// whole filesystems.
std::vector<std::string> explain(Limit limit, std::uint64_t allowed, std::vector<InotifyUse> use,
                                 std::string_view mark_option = "-S");

// EMFILE of inotify_init1(2) may mean the limit of instances, or that this process may open no more files.
// Where it is that, what to do about it; else empty.
std::string descriptor_hint();
std::string descriptor_words(std::uint64_t allowed);  // pure

// Says all that at a terminal; elsewhere scripts read what inotify-tools says, and nothing is added.
void say_use(const Diagnostics& diagnostics, Limit limit);

}  // namespace notify_tools
