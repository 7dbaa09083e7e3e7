// SPDX-License-Identifier: GPL-2.0-or-later
#include "inotifysync/changes/link_index.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace inotifysync {

namespace {
constexpr std::size_t gone_at_most = 100'000;
constexpr std::size_t gone_of_one_at_most = 64;
constexpr std::size_t files_of_one_at_most = 8;
constexpr std::size_t events_for_a_name = 16;
constexpr std::size_t looks_at_once = 2000;
constexpr std::uint64_t clock_steps = 50'000'000;  // those of ctime, with room
}  // namespace

template <class Had>
std::vector<std::pair<std::string, Had>> LinkIndex::at_or_below(const std::map<std::string, Had>& names,
                                                                const std::string& path) {
  std::vector<std::pair<std::string, Had>> found;
  if (const auto exact = names.find(path); exact != names.end()) found.push_back(*exact);
  constexpr char after_slash = '/' + 1;
  found.insert(found.end(), names.lower_bound(path + '/'), names.lower_bound(path + after_slash));
  return found;
}

// `name` is the file's, whosever it was.
void LinkIndex::give(const std::string& name, const SharedFile& file) {
  SharedFile& holder = by_name_[name];
  if (holder == file) return;
  if (holder) {
    holder->names.erase(name);
    remember_gone(name, holder);
  }
  holder = file;
  file->names.insert(name);
}

void LinkIndex::remember_gone(const std::string& name, const SharedFile& file) {
  if (gone_files_ >= gone_at_most) forget_gone();
  if (file->gone.size() >= gone_of_one_at_most) file->gone.clear();
  file->gone.insert(name);
  file->lost = ++losses_;
  std::vector<SharedFile>& had = gone_[name];
  if (std::find(had.begin(), had.end(), file) != had.end()) return;
  if (had.size() == files_of_one_at_most) had.erase(had.begin()), --gone_files_;
  had.push_back(file);
  ++gone_files_;
}

void LinkIndex::forget_gone() {
  for (const auto& [name, files] : gone_)
    for (const SharedFile& file : files) file->gone.clear();
  gone_.clear();
  gone_files_ = 0;
}

void LinkIndex::drop_stale(const SharedFile& file) {
  for (auto name = file->names.begin(); name != file->names.end();) {
    const FileInfo info = files_.lstat(*name);
    if (info.type != FileInfo::Type::missing && Key(info.device, info.inode) == file->key) {
      ++name;
      continue;
    }
    by_name_.erase(*name);
    remember_gone(*name, file);  // also where it is another file's: who has this one open is told of by it
    name = file->names.erase(name);
  }
}

std::vector<std::string> LinkIndex::names(const std::string& path, const FileInfo& info) {
  const Key key(info.device, info.inode);
  const auto all = [](const File& file) { return std::vector(file.names.begin(), file.names.end()); };
  if (const auto known = known_.find(key); known != known_.end()) {
    const SharedFile& file = known->second;
    drop_stale(file);
    give(path, file);  // it may have been on its way from one directory to another when they were read
    const bool rest_is_outside =
        !file->is_fresh && file->links == info.links && file->found == file->names.size();
    if (file->names.size() >= info.links || rest_is_outside) return all(*file);
  }
  if (!fresh_) walk();
  fresh_ = true;
  const auto found = known_.find(key);
  return found == known_.end() ? std::vector<std::string>{} : all(*found->second);
}

// If it is one of several names of a file that is known, it is learned while it is there; of one that is not
// known, now is the time to find the others.
void LinkIndex::look_at(const std::string& path) {
  const FileInfo info = files_.lstat(path);
  const bool may_have_names = info.type != FileInfo::Type::missing && info.type != FileInfo::Type::directory;
  if (!may_have_names) return;
  if (const auto known = known_.find({info.device, info.inode}); known != known_.end()) {
    known->second->modified =
        info.modified;  // whoever asked, makes every target have it as it is from now on
    return give(path, known->second);
  }
  if (info.links < 2) return;
  if (walked_for_event_ && asked_since_ * events_for_a_name < names_read_) return;
  walked_for_event_ = true;
  walk();
}

std::vector<std::string> LinkIndex::others(const std::string& path) {
  ++asked_since_;
  look_at(path);
  std::set<std::string> names;
  const auto add = [&](const SharedFile& file) {
    names.insert(file->names.begin(), file->names.end());
    names.insert(file->gone.begin(), file->gone.end());
  };
  if (const auto found = by_name_.find(path); found != by_name_.end()) add(found->second);
  if (const auto found = gone_.find(path); found != gone_.end())
    for (const SharedFile& file : found->second) add(file);
  names.erase(path);
  return {names.begin(), names.end()};
}

std::vector<std::string> LinkIndex::have_lost_names(std::uint64_t since) {
  std::vector<std::string> names;
  for (const auto& [key, file] : known_) {
    drop_stale(file);
    if (file->lost > since) names.insert(names.end(), file->names.begin(), file->names.end());
  }
  return names;
}

std::vector<std::string> LinkIndex::written_unheard() {
  std::vector<std::string> names;
  std::size_t looks = 0;
  auto next = known_.upper_bound(looked_at_);
  for (; next != known_.end() && looks < looks_at_once; ++next, ++looks) {
    File& file = *next->second;
    if (file.names.empty()) continue;
    const FileInfo info = files_.lstat(*file.names.begin());
    if (info.type == FileInfo::Type::missing || Key(info.device, info.inode) != file.key) continue;
    if (std::exchange(file.modified, info.modified) != info.modified)
      names.insert(names.end(), file.names.begin(), file.names.end());
  }
  looked_at_ = next == known_.end() ? Key() : std::prev(next)->first;
  return names;
}

void LinkIndex::unlinked(const std::string& path) {
  const auto known = by_name_.find(path);
  if (known == by_name_.end()) return;
  known->second->names.erase(path);
  remember_gone(path, known->second);
  by_name_.erase(known);
}

void LinkIndex::renamed(const std::string& from, const std::string& to) {
  const auto new_name = [&](const std::string& name) { return to + name.substr(from.size()); };
  // An open file without a name is told of by the one it had last, in a directory that is called `to` now.
  for (const auto& [name, files] : at_or_below(gone_, from))
    for (const SharedFile& file : files) remember_gone(new_name(name), file);
  const std::vector<Named> moved = at_or_below(by_name_, from);
  // As many would drive all else out that is gone.
  const bool are_few = moved.size() <= gone_at_most / 10;
  for (const auto& [name, file] : moved) {
    // A walk that was ahead of the events has it by its later names already, and here perhaps another one.
    by_name_.erase(name);
    file->names.erase(name);
    if (are_few) remember_gone(name, file);
    give(new_name(name), file);
  }
}

std::size_t LinkIndex::read_all(std::size_t at_most, const std::map<Key, SharedFile>& before) {
  std::size_t names = 0;
  const std::uint64_t began = files_.now();
  std::vector<std::string> below{""};
  while (!below.empty() && names < at_most) {
    const std::string here = std::move(below.back());
    below.pop_back();
    files_.list(here, [&](std::string_view name) {
      if (names == at_most) return;
      ++names;
      std::string path = here.empty() ? std::string(name) : std::string(here).append("/").append(name);
      const FileInfo info = files_.lstat(path);
      if (info.type == FileInfo::Type::directory) return below.push_back(std::move(path));
      const Key key(info.device, info.inode);
      const auto old = before.find(key);
      const bool had_others = old != before.end() && !old->second->gone.empty();
      if (info.links < 2 && !had_others) return;
      SharedFile& file = known_[key];
      if (!file && old != before.end()) file = old->second;
      if (!file) file = std::make_shared<File>();
      file->key = key;
      file->links = info.links;
      if (file->modified == 0) file->modified = info.modified;
      ++file->found;
      // link(2) changes it; the name that it had before may have been read by then.
      file->is_fresh = info.changed + clock_steps > began && info.changed < files_.now();
      give(path, file);
    });
  }
  return names;
}

// What was known by names that a walk has not met.
void LinkIndex::keep_from_before(const Names& names_before) {
  std::vector<Named> moving;  // while their directories were read
  std::vector<Named> last_ones;
  for (const auto& [name, file] : names_before) {
    const auto met = by_name_.find(name);
    if (met != by_name_.end() && met->second == file) continue;
    const FileInfo info = files_.lstat(name);
    if (info.type == FileInfo::Type::missing || Key(info.device, info.inode) != file->key)
      remember_gone(name, file);
    else
      (info.links < 2 ? last_ones : moving).emplace_back(name, file);
  }
  // What was done by a name that is gone shows under the one that is left.
  std::erase_if(last_ones, [](const auto& one) { return one.second->gone.empty(); });
  for (const auto* const some : {&moving, &last_ones}) {
    for (const auto& [name, file] : *some) {
      known_.try_emplace(file->key, file);
      give(name, file);
    }
  }
}

std::size_t LinkIndex::walk(std::size_t at_most) {
  const std::map<Key, SharedFile> before = std::exchange(known_, {});
  const Names names_before = std::exchange(by_name_, {});
  for (const auto& [key, file] : before) {
    file->names.clear();
    file->found = 0;
    file->is_fresh = false;
  }
  names_read_ = read_all(at_most, before);
  keep_from_before(names_before);
  asked_since_ = 0;
  if (names_read_ >= at_most) {  // names that it has not come to are not outside
    known_.clear();
    by_name_.clear();
  }
  return names_read_;
}

}  // namespace inotifysync
