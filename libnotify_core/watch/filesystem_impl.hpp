// SPDX-License-Identifier: GPL-2.0-or-later
// Whole filesystems under one mark each, and only what lies below the operands reported.
//
// No directory is watched here, and none is read beforehand. The tree holds the directories in which
// something has happened, and those above them, up to an operand or to the top of the mount. A directory
// made, moved or removed is an event itself, which says what it was and where: the tree is kept true by what
// it is told, and the filesystem is asked only about directories that were there before anything was said of
// them, once each. Of one that is gone by then, what is queued behind tells where it was. Whether a directory
// is below an operand is a question of which root it hangs from.
//
// A removed directory is known until nobody holds it any more (DELETE_SELF) and all below it is forgotten:
// until then, things can happen in it. Where only such events are asked for as end with the removal, it is
// known until all is read that was queued by then.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "backend/fanotify_backend.hpp"
#include "watch/watcher_impl.hpp"

namespace notify_core {

class NOTIFY_LOCAL Watcher::FilesystemImpl final : public Watcher::Impl {
 public:
  // A million directories take some 200 MB.
  static constexpr std::size_t default_most_known = 1'000'000;

  // `most_known`: how many directories are remembered at most when all that was queued has been read.
  FilesystemImpl(WatcherOptions options, std::unique_ptr<backend::FanotifyBackend> backend,
                 std::size_t most_known = default_most_known);

  Result<void> add(std::string_view path, const std::function<void(const Error&)>& on_unreadable) override;

 private:
  static constexpr std::size_t deepest = 100'000;  // levels of directories that are climbed

  void handle(const backend::Record& record) override;
  void queue_drained() override;

  Result<void> look_at_operand(int number, const std::string& name, bool directory);
  watch::NodeId directory_node(const backend::Record& record);
  watch::NodeId look_up(int number);
  struct Step {
    int number;
    std::string name;
    bool seen = false;  // in the filesystem; else it was told
    bool gone = false;
  };
  watch::NodeId climb(int number, std::vector<Step>& steps);
  bool step_told(sys::Fd& directory, int& at, Step& step);
  bool read_step(const sys::Fd& directory, sys::Fd& above, Step& step);
  watch::NodeId add_top(const Step& step);
  bool look_ahead();
  bool is_outdated(const std::vector<Step>& steps);
  void hang(watch::NodeId parent, std::string_view name, int number);
  void hang_removed(watch::NodeId parent, std::string_view name, int number);
  void follow(watch::NodeId parent, const backend::Record& record);
  void forget_below(watch::NodeId node);
  void forget_one(watch::NodeId node);
  void forget_removed(watch::NodeId node);
  void forget_some();
  void start_anew();
  bool is_inside(watch::NodeId node) const;

  backend::FanotifyBackend& fanotify_;
  std::size_t most_known_;
  bool tells_ends_;                             // of directories, by DELETE_SELF
  std::unordered_set<watch::NodeId> outside_;   // roots that are no operands: tops of mounts
  std::unordered_set<std::string> whole_;       // filesystems of which everything is reported
  std::unordered_set<watch::NodeId> left_out_;  // excluded directories
  std::vector<int> gone_;  // directories that are no more: their last events may still be queued
  std::unordered_set<watch::NodeId> removed_;  // gone, but not all below them
  // The halves of a rename that does not say what was moved (before Linux 5.17).
  int moving_ = -1;
  std::uint32_t moving_cookie_ = 0;
};

}  // namespace notify_core
