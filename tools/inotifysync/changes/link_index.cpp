// SPDX-License-Identifier: GPL-2.0-or-later
#include "inotifysync/changes/link_index.hpp"

#include <algorithm>
#include <utility>

namespace inotifysync {

namespace {
constexpr std::size_t gone_at_most = 100'000;
constexpr std::size_t events_for_a_name = 16;
}  // namespace

void LinkIndex::remember_gone(const std::string& name, const SharedNames& names) {
  if (gone_.size() >= gone_at_most) gone_.clear();
  gone_.insert_or_assign(name, names);
}

void LinkIndex::drop_stale(File& file, Key key) {
  const auto before = std::make_shared<const std::vector<std::string>>(file.names);
  std::erase_if(file.names, [&](const std::string& name) {
    const FileInfo info = files_.lstat(name);
    const bool same = info.type != FileInfo::Type::missing && Key(info.device, info.inode) == key;
    if (same) return false;
    by_name_.erase(name);
    if (info.type == FileInfo::Type::missing) remember_gone(name, before);
    return true;
  });
}

std::vector<std::string> LinkIndex::names(const std::string& path, const FileInfo& info) {
  const Key key(info.device, info.inode);
  if (const auto known = known_.find(key); known != known_.end()) {
    File& file = known->second;
    drop_stale(file, key);
    // It was on its way from one directory to another when they were read.
    if (std::find(file.names.begin(), file.names.end(), path) == file.names.end()) {
      file.names.push_back(path);
      by_name_[path] = key;
    }
    const bool rest_is_outside = file.links == info.links && file.found == file.names.size();
    if (file.names.size() >= info.links || rest_is_outside) return file.names;
  }
  if (!fresh_) walk();
  fresh_ = true;
  const auto found = known_.find(key);
  return found == known_.end() ? std::vector<std::string>{} : found->second.names;
}

// A name that was made or came a moment ago: if it is one of several, now is the time to find the others.
void LinkIndex::look_at(const std::string& path) {
  const FileInfo info = files_.lstat(path);
  const bool may_have_names = info.type != FileInfo::Type::missing && info.type != FileInfo::Type::directory;
  if (!may_have_names || info.links < 2) return;
  if (walked_for_event_ && asked_since_ * events_for_a_name < names_read_) return;
  walked_for_event_ = true;
  walk();
}

std::vector<std::string> LinkIndex::others(const std::string& path) {
  ++asked_since_;
  if (!by_name_.contains(path) && !gone_.contains(path)) look_at(path);
  std::vector<std::string> names;
  if (const auto key = by_name_.find(path); key != by_name_.end()) names = known_.at(key->second).names;
  if (const auto gone = gone_.find(path); gone != gone_.end())
    names.insert(names.end(), gone->second->begin(), gone->second->end());
  std::erase(names, path);
  return names;
}

std::size_t LinkIndex::walk(std::size_t at_most) {
  std::size_t names = 0;
  const std::map<Key, File> before = std::exchange(known_, {});
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
  for (const auto& [key, file] : before) {
    const auto all = std::make_shared<const std::vector<std::string>>(file.names);
    for (const std::string& name : file.names) {
      if (files_.lstat(name).type == FileInfo::Type::missing) remember_gone(name, all);
    }
  }
  names_read_ = names;
  asked_since_ = 0;
  return names;
}

}  // namespace inotifysync
