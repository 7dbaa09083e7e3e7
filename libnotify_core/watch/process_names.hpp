// SPDX-License-Identifier: GPL-2.0-or-later
// Who did it: names of programs, and those of whom nobody wants to hear.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "sys/handle.hpp"

namespace notify_core::watch {

class ProcessNames {
 public:
  ProcessNames(std::vector<std::int32_t> ignored, std::vector<std::string> ignored_programs)
      : ignored_(std::move(ignored)), ignored_programs_(std::move(ignored_programs)) {
    for (std::string& name : ignored_programs_) name.resize(std::min(name.size(), longest_name));
  }

  // Names may be other ones from here on: a process may have ended, and its number have passed on.
  void begin_batch() {
    if (!names_.empty()) names_.clear();
  }

  // Empty where it has ended. Valid until the next begin_batch().
  std::string_view name(std::int32_t process) {
    if (process == 0) return {};
    const auto [position, is_new] = names_.try_emplace(process);
    if (is_new) position->second = sys::program_name(process);
    return position->second;
  }

  bool ignores(std::int32_t process) {
    if (process == 0 || (ignored_.empty() && ignored_programs_.empty())) return false;
    if (std::ranges::find(ignored_, process) != ignored_.end()) return true;
    if (ignored_programs_.empty()) return false;
    const std::string_view program = name(process);
    return std::ranges::find(ignored_programs_, program) != ignored_programs_.end();
  }

 private:
  static constexpr std::size_t longest_name = 15;  // the kernel cuts them there

  std::vector<std::int32_t> ignored_;
  std::vector<std::string> ignored_programs_;
  std::unordered_map<std::int32_t, std::string> names_;
};

}  // namespace notify_core::watch
