// SPDX-License-Identifier: GPL-2.0-or-later
// The source as it is on disk at this moment.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "inotifysync/changes/batch.hpp"

namespace inotifysync {

class SourceView : public FileSystemView {
 public:
  explicit SourceView(std::string root) : root_(std::move(root)) {}  // absolute

  FileInfo lstat(const std::string& path) override;
  bool list(const std::string& path, const std::function<void(std::string_view name)>& visit) override;
  // Walks the source, for inotify tells one name only of a file that has several: once in the life of a view,
  // which is meant to serve one plan.
  std::vector<std::string> hard_links(const FileInfo& info) override;

 private:
  std::string absolute(const std::string& path) const { return path.empty() ? root_ : root_ + "/" + path; }
  void index_links();

  std::string root_;
  bool indexed_ = false;
  std::map<std::pair<std::uint64_t, std::uint64_t>, std::vector<std::string>>
      names_of_;  // by device and inode
};

}  // namespace inotifysync
