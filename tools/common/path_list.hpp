// SPDX-License-Identifier: GPL-2.0-or-later
// Which paths to watch, gathered from operands and files: one path each, those behind an '@' not to be
// watched.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "notify_core/error.hpp"

namespace notify_tools {

struct PathList {
  std::vector<std::string> watched;   // in the order given
  std::vector<std::string> excluded;  // without their '@'

  // An operand; "@" alone and the empty path name nothing and are skipped.
  void add(std::string_view entry);
  // One entry a line, of any length; blank lines are skipped, a CR belongs to the name. A name ends at a NUL
  // byte, as no path can hold one.
  void add_lines(std::string_view text);
  // The lines of a file; "-" is standard input. Error: call "open", path `file`. What cannot be read once it
  // is open (a directory, say) holds no lines.
  notify_core::Result<void> add_file(const std::string& file);
};

}  // namespace notify_tools
