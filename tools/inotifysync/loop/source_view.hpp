// SPDX-License-Identifier: GPL-2.0-or-later
// The source as it is on disk at this moment.
#pragma once

#include <fcntl.h>

#include <string>
#include <vector>

#include "inotifysync/changes/batch.hpp"
#include "inotifysync/changes/link_index.hpp"

namespace inotifysync {

class SourceView : public FileSystemView {
 public:
  explicit SourceView(std::string root) : root_(std::move(root)) {}  // absolute
  SourceView(const SourceView&) = delete;
  SourceView& operator=(const SourceView&) = delete;

  FileInfo lstat(const std::string& path) override;
  std::uint64_t now() override;
  bool list(const std::string& path, const std::function<void(std::string_view name)>& visit) override;
  std::vector<std::string> hard_links(const std::string& path, const FileInfo& info) override {
    return links_.names(path, info);
  }
  std::vector<std::string> other_names(const std::string& path) override { return links_.others(path); }
  void renamed(const std::string& from, const std::string& to) override { links_.renamed(from, to); }
  void unlinked(const std::string& path) override { links_.unlinked(path); }
  std::uint64_t losses() const { return links_.losses(); }
  std::vector<std::string> have_lost_names(std::uint64_t since) { return links_.have_lost_names(since); }
  bool knows_links() const { return links_.knows_any(); }
  std::vector<std::string> written_unheard() { return links_.written_unheard(); }
  void begin_plan() { links_.renew(); }
  // Sees what is in this directory, whatever comes to stand at the source's path. It stays its owner's.
  void look_through(int directory) { directory_ = directory; }
  void look_by_path() { directory_ = AT_FDCWD; }
  // Learns which files have several names, unless the source has more than a hundred thousand.
  void look_for_links() { links_.walk(100'000); }
  // How many names there are in the source. Reads all of it.
  std::size_t count_names() { return links_.walk(); }

 private:
  // From directory_.
  std::string way_to(const std::string& path) const;

  std::string root_;
  int directory_ = AT_FDCWD;
  LinkIndex links_{*this};
};

}  // namespace inotifysync
