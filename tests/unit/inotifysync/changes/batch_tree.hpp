// SPDX-License-Identifier: GPL-2.0-or-later
// A source in memory, and a batch said in one line.
#pragma once

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <map>
#include <string>

#include "inotifysync/changes/batch.hpp"
#include "inotifysync/config/patterns.hpp"
#include "inotifysync/rsync/rsync_outcome.hpp"

namespace batch_tree {

using namespace inotifysync;

// A tree in memory that counts how often it is asked.
class Tree : public FileSystemView {
 public:
  void file(const std::string& path, std::uint64_t size = 10, std::uint64_t inode = 0) {
    FileInfo& info = entries_[path];
    info.type = FileInfo::Type::file;
    info.size = size;
    info.inode = inode;
    if (inode == 0) return;
    std::uint64_t links = 0;
    for (const auto& [other, one] : entries_) links += one.inode == inode;
    for (auto& [other, one] : entries_) {
      if (one.inode == inode) one.links = links;
    }
  }
  void directory(const std::string& path) { entries_[path].type = FileInfo::Type::directory; }
  void symlink(const std::string& path) { entries_[path].type = FileInfo::Type::symlink; }

  FileInfo lstat(const std::string& path) override {
    ++lstats;
    const auto found = entries_.find(path);
    return found == entries_.end() ? FileInfo{} : found->second;
  }
  bool list(const std::string& path, const std::function<void(std::string_view)>& visit) override {
    const std::string prefix = path + "/";
    for (const auto& [name, info] : entries_) {
      if (name.compare(0, prefix.size(), prefix) != 0) continue;
      const std::string_view rest = std::string_view(name).substr(prefix.size());
      if (rest.find('/') == std::string_view::npos) visit(rest);
    }
    return true;
  }
  std::vector<std::string> hard_links(const std::string& /*path*/, const FileInfo& info) override {
    std::vector<std::string> names;
    for (const auto& [name, one] : entries_) {
      if (one.inode == info.inode) names.push_back(name);
    }
    return names;
  }

  int lstats = 0;

 private:
  std::map<std::string, FileInfo> entries_;
};

inline const char* kind_name(StepKind kind) {
  static constexpr const char* names[] = {"full",       "move_directory", "move_file",   "exact",
                                          "attributes", "subtree",        "directories", "root"};
  return names[static_cast<int>(kind)];
}

// "kind: name name; kind: ...": the lists as rsync reads them, moves as from>to.
inline std::string told(const Batch& batch) {
  std::string out;
  for (const Step& step : batch.steps) {
    if (!out.empty()) out += "; ";
    out += kind_name(step.kind);
    out += ':';
    if (!step.to.empty()) out += fmt::format(" {}>{}", step.from, step.to);
    std::string names = step.names;
    if (!names.empty()) names.pop_back();
    for (char& c : names) c = c == '\0' ? ' ' : c;
    if (!names.empty()) (out += ' ') += names;
  }
  return out;
}

inline PlanOptions deleting() {
  PlanOptions options;
  options.deletion = Deletion::missing_args;
  return options;
}

inline std::string planned(const ChangeSet& set, Tree& tree, const PlanOptions& options = deleting()) {
  return told(plan_batch(set, tree, options));
}

}  // namespace batch_tree
