// SPDX-License-Identifier: GPL-2.0-or-later
// Which names in the source are one file. inotify(7) tells the one name that was used; what was written shows
// under all of them, and rsync needs them all in one list. Pure but for the view of the file system.
//
// Only files with several names are remembered. A walk of the whole source is made when a file is met that
// has more names than are known, and not again for names that lie outside the source. Events are told of
// names that may be gone when a batch is planned, so their walks are made at once; but no more than one for a
// plan, or for a sixteenth as many events as there are names.
//
// Walks see the source as it is, events tell what it was: a name that is gone or has moved is kept for what
// may still be told of it. So more names than a file really has may be given, never fewer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "inotifysync/changes/batch.hpp"

namespace inotifysync {

class LinkIndex {
 public:
  // `files` outlives it.
  explicit LinkIndex(FileSystemView& files) : files_(files) {}

  // All names of the file `path`, which `info` describes, sorted. May walk the source, once after each call
  // of renew().
  std::vector<std::string> names(const std::string& path, const FileInfo& info);
  // A new plan begins: what is known may be out of date.
  void renew() { fresh_ = walked_for_event_ = false; }
  // The other names of what `path` is or was, to which something happened. One lstat(2) where no walk is due.
  std::vector<std::string> others(const std::string& path);
  // `from`, or all that lay below it, is `to` now. In the order of the events.
  void renamed(const std::string& from, const std::string& to);
  // In the order of the events, too.
  void unlinked(const std::string& path);
  // A point in time for what have_lost_names() is asked.
  std::uint64_t losses() const { return losses_; }
  // The names of all files that have lost one of them, as far as that is known or shows now. One lstat(2) for
  // each name that is known.
  std::vector<std::string> have_lost_names(std::uint64_t since);
  bool knows_any() const { return !known_.empty(); }
  // The names of files that were written to since others() was asked of them, or this was: by whatever
  // name, one outside the source too, and by who has a file open whose name is gone. One lstat(2) for each
  // file, of some thousand files a call, the next ones each time.
  std::vector<std::string> written_unheard();
  // Reads the source, but gives up at `at_most` names, and knows nothing then. Returns how many it has read.
  std::size_t walk(std::size_t at_most = static_cast<std::size_t>(-1));

 private:
  using Key = std::pair<std::uint64_t, std::uint64_t>;  // device and inode
  struct File {
    Key key;
    std::set<std::string> names;
    std::set<std::string> gone;  // that it had; the last few
    std::uint64_t modified = 0;  // mtime, when something was told of it last, or it was looked at
    std::uint64_t lost = 0;      // when it last lost a name, as losses_
    std::uint64_t links = 0;     // as of the last walk
    std::size_t found = 0;       // names in the source then; fewer than links where others lie outside
    bool is_fresh = false;       // or where one was made while that walk was under way
  };
  using SharedFile = std::shared_ptr<File>;
  // Ordered, so that what is below a directory is one range.
  using Names = std::map<std::string, SharedFile>;
  using Named = std::pair<std::string, SharedFile>;

  template <class Had>
  static std::vector<std::pair<std::string, Had>> at_or_below(const std::map<std::string, Had>& names,
                                                              const std::string& path);
  void give(const std::string& name, const SharedFile& file);
  void remember_gone(const std::string& name, const SharedFile& file);
  void forget_gone();
  void drop_stale(const SharedFile& file);
  void look_at(const std::string& path);
  std::size_t read_all(std::size_t at_most, const std::map<Key, SharedFile>& before);
  void keep_from_before(const Names& names_before);

  FileSystemView& files_;
  bool fresh_ = false;             // walked for this plan
  bool walked_for_event_ = false;  // since the last plan
  std::uint64_t losses_ = 0;
  Key looked_at_{};              // the last one
  std::size_t names_read_ = 0;   // by the last walk
  std::size_t asked_since_ = 0;  // others(), since then
  std::map<Key, SharedFile> known_;
  Names by_name_;
  // Names that are gone, each with the last few files that had it: what was done through them, just before,
  // may not have been told yet; and a descriptor is told of by the name it had, whosever that is by now.
  std::map<std::string, std::vector<SharedFile>> gone_;
  std::size_t gone_files_ = 0;  // in gone_
};

}  // namespace inotifysync
