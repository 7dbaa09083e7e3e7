// SPDX-License-Identifier: GPL-2.0-or-later
// How the list of a run is written. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "inotifysync/changes/batch.hpp"

namespace inotifysync {

// One entry of a list. A "." in front of a name brings the source's own directory along; '/' keeps '#', ';'
// and '-' from meaning anything.
inline Step::Entry append_name(Step& step, const std::string& source, std::string_view path, bool with_top,
                               bool slash_after) {
  if (step.from_root) step.names.append(source).append("/.");
  step.names += with_top ? (step.from_root ? "/./" : "./") : "/";
  Step::Entry entry;
  entry.offset = static_cast<std::uint32_t>(step.names.size());
  entry.length = static_cast<std::uint32_t>(path.size());
  step.names += path;
  if (slash_after && !path.empty()) step.names += '/';
  step.names += '\0';
  return entry;
}

// The entry listed last is one name of several.
inline void append_link(Step& step, const FileInfo& info) {
  step.links.push_back({static_cast<std::uint32_t>(step.entries.size() - 1), info.device, info.inode});
}

}  // namespace inotifysync
