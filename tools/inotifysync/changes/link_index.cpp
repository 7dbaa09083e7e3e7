// SPDX-License-Identifier: GPL-2.0-or-later
#include "inotifysync/changes/link_index.hpp"

#include <algorithm>

namespace inotifysync {

void LinkIndex::drop_stale(File& file, Key key) {
  std::erase_if(file.names, [&](const std::string& name) {
    const FileInfo info = files_.lstat(name);
    const bool same = info.type != FileInfo::Type::missing && Key(info.device, info.inode) == key;
    if (!same) by_name_.erase(name);
    return !same;
  });
}

std::vector<std::string> LinkIndex::names(const FileInfo& info) {
  const Key key(info.device, info.inode);
  if (const auto known = known_.find(key); known != known_.end()) {
    File& file = known->second;
    drop_stale(file, key);
    const bool rest_is_outside = file.links == info.links && file.found == file.names.size();
    if (file.names.size() >= info.links || rest_is_outside) return file.names;
  }
  if (!fresh_) walk();
  fresh_ = true;
  const auto found = known_.find(key);
  return found == known_.end() ? std::vector<std::string>{} : found->second.names;
}

std::vector<std::string> LinkIndex::others(const std::string& path) const {
  if (by_name_.empty()) return {};
  const auto key = by_name_.find(path);
  if (key == by_name_.end()) return {};
  std::vector<std::string> names = known_.at(key->second).names;
  std::erase(names, path);
  return names;
}

std::size_t LinkIndex::walk(std::size_t at_most) {
  std::size_t names = 0;
  known_.clear();
  by_name_.clear();
  std::vector<std::string> below{""};
  while (!below.empty()) {
    const std::string here = std::move(below.back());
    below.pop_back();
    files_.list(here, [&](std::string_view name) {
      if (names == at_most) return;
      ++names;
      std::string path = here.empty() ? std::string(name) : std::string(here).append("/").append(name);
      const FileInfo info = files_.lstat(path);
      if (info.type == FileInfo::Type::directory) {
        below.push_back(std::move(path));
      } else if (info.links > 1) {
        File& file = known_[{info.device, info.inode}];
        file.links = info.links;
        ++file.found;
        by_name_[path] = {info.device, info.inode};
        file.names.push_back(std::move(path));
      }
    });
    if (names == at_most) break;
  }
  return names;
}

}  // namespace inotifysync
