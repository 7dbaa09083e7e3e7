// SPDX-License-Identifier: GPL-2.0-or-later
// Whole filesystems under one mark each, and only what lies below the operands reported.
//
// No directory is watched here, and none is read beforehand. The tree holds the directories in which
// something has happened, and those above them, up to an operand or to the top of the mount. A directory
// made, moved or removed is an event itself, which says what it was and where: the tree is kept true by what
// it is told, and the filesystem is asked only about directories that were there before anything was said of
// them, once each. Whether a directory is below an operand is a question of which root it hangs from.
#pragma once

#include <memory>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "backend/fanotify_backend.hpp"
#include "watch/watcher_impl.hpp"

namespace notify_core {

class NOTIFY_LOCAL Watcher::FilesystemImpl final : public Watcher::Impl {
 public:
  FilesystemImpl(WatcherOptions options, std::unique_ptr<backend::FanotifyBackend> backend);

  Result<void> add(std::string_view path, const std::function<void(const Error&)>& on_unreadable) override;

 private:
  // A million directories take some 200 MB.
  static constexpr std::size_t most_known = 1'000'000;
  static constexpr std::size_t deepest = 100'000;  // levels of directories that are climbed

  void handle(const backend::Record& record) override;
  void queue_drained() override;

  watch::NodeId directory_node(int number);
  watch::NodeId look_up(int number);
  struct Step {
    int number;
    std::string name;
  };
  bool read_step(const sys::Fd& directory, sys::Fd& above, Step& step);
  void hang(watch::NodeId parent, std::string_view name, int number);
  void follow(watch::NodeId parent, const backend::Record& record);
  void forget_below(watch::NodeId node);
  void forget_one(watch::NodeId node);
  void forget_some();
  void start_anew();
  bool is_inside(watch::NodeId node) const;

  backend::FanotifyBackend& fanotify_;
  std::unordered_set<watch::NodeId> outside_;   // roots that are no operands: tops of mounts
  std::unordered_set<watch::NodeId> left_out_;  // excluded directories
  std::vector<int> gone_;                       // removed directories: their last events may still be queued
  // The halves of a rename that does not say what was moved (before Linux 5.17).
  int moving_ = -1;
  std::uint32_t moving_cookie_ = 0;
};

}  // namespace notify_core
