// SPDX-License-Identifier: GPL-2.0-or-later
// Watches all below a directory before anything is reported of it, in the order of listing, each directory
// before it is listed.
//
// A directory without subdirectories costs two calls: one to watch it, one to look at its link count. On
// filesystems where that is one for the directory itself, one for its name and one for each subdirectory, two
// links mean that there is nothing to descend into, and it is never opened. Most directories are like others
// of their depth: where the last one had subdirectories, the next is opened at once, and its link count is
// asked of the descriptor, which is cheaper. All names are looked up from the directory they stand in, and at
// most a few directories are open at a time, so neither depth nor PATH_MAX is a limit.
//
// Listing makes events of its own (open, access, close_nowrite). A directory is watched without these while
// it or one below it is listed, and with all events when the walk leaves it.
//
// A large walk is shared with a second thread (walk_sharing.hpp), as listing goes by outside of inotify's own
// lock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "backend/backend.hpp"
#include "sys/directory_reader.hpp"
#include "sys/fd.hpp"
#include "watch/walk_sharing.hpp"
#include "watch/walk_sink.hpp"

namespace notify_core::watch {

struct WalkRules {
  EventMask events = 0;        // what every directory is to be watched for
  EventMask quiet_events = 0;  // the same, without what listing makes
  int last_known = -1;         // the highest watch there was before
  bool alone = true;           // nothing is watched but where the walk begins
  // True: leave the directory of this path (ending in '/'), and all below it, unwatched. Empty: none.
  std::function<bool(std::string_view path)> leaves_out{};
  // The same, for what is read again as it was watched before. Asked by any thread.
  std::function<bool(std::string_view path)> is_excluded{};
};

class FirstWalk {
 public:
  // `sharing`: null where one thread is to do it all.
  FirstWalk(backend::WatchPlacer& placer, const WalkRules& rules, WalkSink& sink, WalkSharing* sharing);

  // Walks what is below `directory`, which has been entered, stands at hand of the sink, is called `path`
  // (ending in '/') and is watched as `watch` for quiet events; at the end it is watched for all events.
  // False where the limit of watches ended the walk.
  bool walk(sys::Fd directory, int watch, std::string path);
  // What another walk gave away.
  void walk(WalkShare& share);

 private:
  struct Frame {
    sys::Fd directory;
    int watch = -1;               // negative: another walk's directory, of which this one has a share
    std::size_t names_begin = 0;  // names yet to be visited: names_[next..end], each with a NUL at its end
    std::size_t next = 0;
    std::size_t end = 0;
    int begun = -1;  // the watch of the first of them, where it has been begun
    std::size_t path_length = 0;
    std::uint64_t device = 0;
    std::uint32_t links = 0;
    bool links_count = false;                        // the link count tells the number of subdirectories
    std::vector<std::shared_ptr<WalkShare>> shares;  // of the names behind `end`, the last ones first
  };

  bool run();
  void push(sys::Fd directory, int watch, std::string_view name, const sys::FileFacts& facts);
  void list(Frame& frame);
  void entry(Frame& frame, const char* name);
  void put_off(Frame& frame, std::string_view name);
  bool begin(const char* name, int watch);
  void end_leaf();
  bool is_leaf(const Frame& frame, const char* name) const;
  void visit_next();
  bool watch_unseen(const std::string& name, int& watch, sys::Fd& directory);
  bool silence(const std::string& name, int watch);
  void open_and_push(const std::string& name, int watch, sys::Fd directory);
  sys::Fd open_child(const std::string& name, int* failed = nullptr);
  void give_up(const std::string& name, int watch, int status, bool readable);
  int enter_top();
  void ask_for_all_events(const char* name, int watch);
  void close_above();
  void leave();
  void reopen(Frame& frame, int child);
  void restore_events(Frame& frame);
  void read_again(const Frame& frame, const char* name);
  void share_if_wanted();
  bool give_half(Frame& frame);
  void take_back(Frame& frame);
  static void walk_share(backend::WatchPlacer& placer, const WalkRules& rules, WalkSharing* sharing,
                         WalkShare& share);
  void fail(int status, const char* call, std::string_view name);

  std::size_t depth() const { return base_depth_ + frames_.size(); }
  std::uint64_t depth_bit() const { return std::uint64_t{1} << (depth() % 64); }
  bool is_visit_likely() const { return (visited_depths_ & depth_bit()) != 0; }
  void note_visit(bool visited) {
    visited_depths_ = visited ? visited_depths_ | depth_bit() : visited_depths_ & ~depth_bit();
  }
  bool has_quiet() const { return rules_.quiet_events != rules_.events; }

  backend::WatchPlacer& placer_;
  const WalkRules& rules_;
  WalkSink& sink_;
  WalkSharing* sharing_;
  bool limit_reached_ = false;
  std::size_t entered_ = 0;  // names are looked up in frames_[entered_ - 1]; 0: not known where
  std::size_t most_open_;    // directories held open at a time, beside the first
  std::size_t base_depth_ = 0;
  std::uint64_t visited_depths_ = 0;  // a bit a depth: the last directory found there had subdirectories
  std::size_t watched_ = 0;           // directories
  std::size_t listed_ = 0;            // of them, and the first one
  std::size_t watched_when_shared_ = 0;
  std::size_t nothing_before_ = 0;  // the frames before this one have nothing to give away
  std::vector<Frame> frames_;
  std::string names_;
  std::string path_;  // of the directory on top
  sys::DirectoryReader reader_;
};

}  // namespace notify_core::watch
