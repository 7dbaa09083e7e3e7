// SPDX-License-Identifier: GPL-2.0-or-later
// What goes out together: a change set and lstat(2), turned into runs of rsync. Pure but for the view of the
// file system that it is handed.
//
// The recipe, each part tried against rsync 3.5.0 and a daemon module:
// - Nearly everything is ONE run without -r: `-aH --files-from=- --from0 --delete-missing-args --force -I`.
// New and
//   changed files, directories, links and missing names go in one list. -I makes that no equal size and time
//   hides a change; on directories and links it costs nothing.
// - Of missing names only the topmost is listed (its children named too: exit 24). A name whose ancestor is
// no
//   directory any more is replaced by that ancestor (else ENOTDIR, exit 23, and nothing is deleted).
// - --modify-window=-1 compares times to the nanosecond; without it a directory's time is left behind.
// - A listed path brings its parent directories' attributes along ("implied"), also when the path itself is
// missing;
//   the source's own directory only comes along where the entry starts with "./", so depth-one entries do.
// - A rename runs first: `--link-dest` of the old place, then the old name is among the missing of the list
// run.
// - A write through one of several hard links needs all of them in the list, or the target's link splits; so
// does
//   a change of attributes, for -I makes a new file of it.
// - A renamed directory is linked only where nothing was under its new name before: the quick check that
// --link-dest
//   rests on could take an old file of equal size and time for the new one. A single file is compared whole
//   (-c).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "inotifysync/changes/change_set.hpp"

namespace inotifysync {

class PatternList;

struct FileInfo {
  enum class Type : std::uint8_t { missing, file, directory, symlink, other, unreadable };
  Type type = Type::missing;
  std::uint64_t size = 0;
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::uint64_t links = 1;
  std::uint64_t changed = 0;   // ctime in nanoseconds
  std::uint64_t modified = 0;  // mtime
};

// The source as it is at this moment. Paths are relative to the source; "" is the source itself.
class FileSystemView {
 public:
  virtual ~FileSystemView() = default;
  // lstat(2). ENOENT and ENOTDIR are `missing`; any other failure is `unreadable`: rsync will say it better.
  virtual FileInfo lstat(const std::string& path) = 0;
  // As FileInfo::changed.
  virtual std::uint64_t now() { return 0; }
  // The names in a directory, not "." and ".."; false where it cannot be read to the end.
  virtual bool list(const std::string& path, const std::function<void(std::string_view name)>& visit) = 0;
  // The other names of the file that `path` is, or was a moment ago, as far as that is known already.
  virtual std::vector<std::string> other_names(const std::string& path) {
    (void)path;
    return {};
  }
  // A rename of what `from` was, as it was told: between two names in the source.
  virtual void renamed(const std::string& from, const std::string& to) { (void)from, (void)to; }
  // `path` is deleted, as it was told.
  virtual void unlinked(const std::string& path) { (void)path; }
  // All names in the source that are the same file as `path`, which is `info`; what is not known is left out.
  // May walk the tree.
  virtual std::vector<std::string> hard_links(const std::string& path, const FileInfo& info) {
    (void)path, (void)info;
    return {};
  }
};

// How a target's rsync can be made to delete.
enum class Deletion : std::uint8_t {
  none,          // not asked for, or refused by the target
  missing_args,  // --delete-missing-args --force, in the same run as everything else
  by_directory,  // its rsync breaks on that: list the parent directories with --delete, in a run of its own
};

struct PlanOptions {
  Deletion deletion = Deletion::none;
  // An absolute path to the source. Given, list runs start at "/" and names are SOURCE/./NAME: an rsync that
  // waits then does not keep the source's filesystem from being unmounted. Empty: names are relative to the
  // source.
  std::string source;
  const PatternList* patterns = nullptr;  // excluded paths are left out
  // Of files that are being written: in a new directory they are left out, for their turn comes.
  std::function<bool(std::string_view path)> is_kept_back;
  bool links = true;                  // use --link-dest for renames
  bool limited = false;               // deletions are: a run whose deletions nobody counted is marked so
  std::size_t list_at_most = 20'000;  // entries of a new directory that are listed one by one
  std::uint64_t resend_below =
      256 * 1024;                    // a renamed file or tree of fewer bytes goes in the list run instead
  std::size_t resend_at_most = 100;  // ... a tree of at most so many entries, that is
  std::uint64_t attributes_alone =
      256 * 1024;  // a file of more bytes with nothing but attributes goes without -I
};

enum class StepKind : std::uint8_t {
  full,            // the whole source, -r --delete
  move_directory,  // `to` filled with hard links to the target's own `from`
  move_file,       // the same for one file
  exact,           // the list run: the one a waiting, already connected rsync can do
  attributes,      // a list run without -I, for large files
  subtree,         // -r --delete for listed directories
  directories,     // --delete without -r for listed directories: Deletion::by_directory
  root,            // the attributes of the source's own directory
};

struct Step {
  struct Entry {
    std::uint32_t offset = 0;  // of the path in `names`
    std::uint32_t length = 0;
    Dirt dirt = 0;           // to put back if the run does not confirm it
    bool missing = false;    // deletes the path on the target
    bool expected = false;   // on the target, where it has been before
    std::uint64_t size = 0;  // of a file's content
  };
  StepKind kind = StepKind::exact;
  bool ignore_times = false;  // -I
  bool deletes = false;       // may take something away on the target
  bool only_counts = false;   // rsync ends with 25 where it would take something away, and takes nothing
  bool from_root = false;     // names are absolute: SOURCE/./NAME
  // Batch::missing has all that this run takes away; else rsync itself has to mind the limit.
  bool counted = false;
  bool limitable = true;      // ... and rsync, if it counts too, does not come to more than that
  std::uint64_t renamed = 0;  // names that this run takes away though they are not lost: beyond the limit
  bool make_parents = false;  // move: the parent of `to` may not be there yet
  std::string names;  // for stdin: each entry after a prefix, ended by NUL. Empty: the run reads no list
  std::vector<Entry> entries;
  std::string from, to;              // move_directory, move_file
  std::vector<std::string> filters;  // move_directory: the patterns as seen from `to`
  // To be marked unless the whole step was delivered, besides the entries that were not confirmed.
  struct Owed {
    std::string path;
    Dirt dirt = 0;
  };
  std::vector<Owed> owed;
  // The entries that are names of files with several, and which file each one was.
  struct Link {
    std::uint32_t entry = 0;
    std::uint64_t device = 0, inode = 0;
  };
  std::vector<Link> links;

  std::string_view path(const Entry& entry) const {
    return std::string_view(names).substr(entry.offset, entry.length);
  }
  bool reads_list() const { return !names.empty(); }
  // What it sends, rsync finds for itself.
  bool walks() const {
    return kind == StepKind::full || kind == StepKind::subtree || kind == StepKind::move_directory;
  }
};

struct Batch {
  std::vector<Step> steps;  // to be run in this order; a later one must not run if an earlier one broke off
  std::size_t paths = 0;
  std::uint64_t missing = 0;              // names that will be taken away, as far as events told
  std::uint64_t bytes = 0;                // of the files listed
  bool full = false;                      // there is a full step
  std::vector<std::string> trees;         // that it reads whole, with what no event has told of yet
  std::string source;                     // PlanOptions::source
  std::shared_ptr<const void> kept_open;  // what `source` leads through, if anything
};

Batch plan_batch(const ChangeSet& changes, FileSystemView& files, const PlanOptions& options);
// The step that brings a target fully up to date, whatever it has.
Step full_step(const PlanOptions& options);

}  // namespace inotifysync
