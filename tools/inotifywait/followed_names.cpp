// SPDX-License-Identifier: GPL-2.0-or-later
#include "inotifywait/followed_names.hpp"

#include <algorithm>

namespace notify_tools::inotifywait {

using namespace notify_core;

bool FollowedNames::add(const std::string& path, bool exists, Time now) {
  const std::size_t slash = path.rfind('/');
  const std::string name = slash == std::string::npos ? path : path.substr(slash + 1);
  if (name.empty() || name == "." || name == "..") return false;
  std::string directory = slash == std::string::npos ? "." : path.substr(0, slash);
  while (directory.ends_with('/')) directory.pop_back();
  if (directory.empty()) directory.push_back('/');
  const std::string prefix = directory == "/" ? directory : directory + "/";
  if (std::ranges::find(directories_, directory) == directories_.end()) directories_.push_back(directory);
  names_.try_emplace(prefix + name, Name{path, exists ? std::nullopt : std::optional<Time>(now)});
  return true;
}

bool FollowedNames::translate(Event& event, Time now) {
  std::string path(event.watched);
  path += event.name;
  const auto found = names_.find(path);
  if (event.name.empty() || found == names_.end()) return false;
  Name& name = found->second;
  if ((event.mask & (mask::remove | mask::moved_from)) != 0) {
    name.missing_since = now;
  } else {
    name.missing_since.reset();
  }
  event.watched = name.path;
  event.name = {};
  return true;
}

std::optional<Time> FollowedNames::all_gone() const {
  Time last = Time::min();
  for (const auto& [key, name] : names_) {
    if (!name.missing_since) return std::nullopt;
    last = std::max(last, *name.missing_since);
  }
  return last + patience;
}

EventMask events_of_entry(EventMask events) {
  if ((events & mask::delete_self) != 0) events |= mask::remove;
  if ((events & mask::move_self) != 0) events |= mask::moved_from;
  return events & ~(mask::delete_self | mask::move_self);
}

}  // namespace notify_tools::inotifywait
