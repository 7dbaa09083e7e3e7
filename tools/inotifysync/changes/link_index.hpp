// SPDX-License-Identifier: GPL-2.0-or-later
// Which names in the source are one file. inotify(7) tells the one name that was used; what was written shows
// under all of them, and rsync needs them all in one list. Pure but for the view of the file system.
//
// Only files with several names are remembered. A walk of the whole source is made when a file is met that
// has more names than are known, and not again for names that lie outside the source. Events are told of
// names that may be gone when a batch is planned, so their walks are made at once; but no more than one for a
// plan, or for a sixteenth as many events as there are names.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "inotifysync/changes/batch.hpp"

namespace inotifysync {

class LinkIndex {
 public:
  // `files` outlives it.
  explicit LinkIndex(FileSystemView& files) : files_(files) {}

  // All names of the file `path`, which `info` describes. May walk the source, once after each call of
  // renew().
  std::vector<std::string> names(const std::string& path, const FileInfo& info);
  // A new plan begins: what is known may be out of date.
  void renew() { fresh_ = walked_for_event_ = false; }
  // The other names of what `path` is or was, to which something happened. Cheap where `path` is known or has
  // no others.
  std::vector<std::string> others(const std::string& path);
  // Reads the source, but gives up beyond `at_most` names. Returns how many it has read.
  std::size_t walk(std::size_t at_most = static_cast<std::size_t>(-1));

 private:
  using Key = std::pair<std::uint64_t, std::uint64_t>;  // device and inode
  struct File {
    std::vector<std::string> names;
    std::uint64_t links = 0;  // as of the last walk
    std::size_t found = 0;    // names in the source then; fewer than links where others lie outside
  };

  void drop_stale(File& file, Key key);
  void look_at(const std::string& path);
  using SharedNames = std::shared_ptr<const std::vector<std::string>>;
  void remember_gone(const std::string& name, const SharedNames& names);

  FileSystemView& files_;
  bool fresh_ = false;             // walked for this plan
  bool walked_for_event_ = false;  // since the last plan
  std::size_t names_read_ = 0;     // by the last walk
  std::size_t asked_since_ = 0;    // others(), since then
  std::map<Key, File> known_;
  std::unordered_map<std::string, Key> by_name_;
  // Names that are gone, with all that the file had: what was done through them, just before, may not have
  // been told yet.
  std::unordered_map<std::string, SharedNames> gone_;
};

}  // namespace inotifysync
