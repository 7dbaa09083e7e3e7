// SPDX-License-Identifier: GPL-2.0-or-later
#include "inotifysync/changes/settling.hpp"

#include <algorithm>

namespace inotifysync {

Settling::Time Settling::due(const Written& file) const {
  return std::min(file.last + limits_.settle, file.first + limits_.max_delay);
}

bool Settling::written(std::string_view path, Time now) {
  const auto found = files_.find(std::string(path));
  if (found != files_.end()) {
    found->second.last = now;
    return true;
  }
  if (files_.size() >= limits_.most) return false;
  const Written file{now, now};
  files_.emplace(path, file);
  next_due_ = next_due_ ? std::min(*next_due_, due(file)) : due(file);
  return true;
}

bool Settling::released(std::string_view path) {
  const bool was_held = files_.erase(std::string(path)) > 0;
  if (files_.empty()) next_due_.reset();
  return was_held;
}

void Settling::moved_below(std::string_view from, std::string_view to) {
  const std::string prefix = std::string(from) + '/';
  std::vector<std::pair<std::string, Written>> renamed;
  std::erase_if(files_, [&](const auto& file) {
    if (!file.first.starts_with(prefix)) return false;
    renamed.emplace_back(std::string(to) + '/' + file.first.substr(prefix.size()), file.second);
    return true;
  });
  for (auto& file : renamed) files_.insert_or_assign(std::move(file.first), file.second);
}

std::vector<std::string> Settling::take_due(Time now) {
  std::vector<std::string> taken;
  next_due_.reset();
  for (auto file = files_.begin(); file != files_.end();) {
    const Time when = due(file->second);
    if (when > now) {
      next_due_ = next_due_ ? std::min(*next_due_, when) : when;
      ++file;
    } else {
      taken.push_back(file->first);
      file = files_.erase(file);
    }
  }
  return taken;
}

std::vector<std::string> Settling::take_all() {
  return take_due(Time::max());
}

}  // namespace inotifysync
