// SPDX-License-Identifier: GPL-2.0-or-later
// How two threads share a walk. A thread that has nothing to do wants a share; the other one sees that
// between two directories, and gives half of the names it has yet to visit in the topmost directory that has
// any. It waits for a share where it comes to the place of that, and takes shares itself while it waits.
//
// Nothing else is shared: each thread has its own walk, its own working directory and what it found; the
// taker's is a record, which is said again in its place, so the order is that of one thread.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

#include "backend/backend.hpp"
#include "sys/fd.hpp"
#include "watch/walk_record.hpp"

namespace notify_core::watch {

struct WalkShare {
  sys::Fd directory;      // open, watched without the events that listing makes
  std::string path;       // of that, as printed, ending in '/'
  std::string names;      // what is to be visited in it, each with a NUL at its end
  std::uint64_t device;   // of that directory
  bool links_count;       // as in FirstWalk's frames
  std::size_t depth;      // of that directory
  std::uint64_t visited;  // the giver's depths where directories have directories

  // From here on the taker's, until it is done.
  WalkRecord record;
  bool complete = false;  // false: the limit of watches ended it
  std::exception_ptr thrown{};
  bool done = false;  // guarded by WalkSharing
};

class WalkSharing {
 public:
  using Run = std::function<void(WalkShare&)>;

  // `placer`: for the second thread.
  explicit WalkSharing(std::unique_ptr<backend::WatchPlacer> placer) : placer_(std::move(placer)) {}
  WalkSharing(const WalkSharing&) = delete;
  WalkSharing& operator=(const WalkSharing&) = delete;
  ~WalkSharing();  // waits for the second thread

  // Has a second thread take shares, by run(placer, share). Where there can be none, nobody wants any.
  using RunWith = std::function<void(backend::WatchPlacer&, WalkShare&)>;
  void start(RunWith run);
  bool is_possible() const { return placer_ != nullptr; }
  bool started() const { return started_; }

  // Somebody wants a share.
  bool wanted() const { return wanted_.load(std::memory_order_relaxed); }
  // False: nobody wants one any more.
  bool offer(const std::shared_ptr<WalkShare>& share);
  // Waits until the share is done, and runs others meanwhile. Throws what its walk threw. False: everything
  // is over.
  bool await(const WalkShare& share, const Run& run);

 private:
  void help_until(const std::function<bool()>& over, const Run& run);
  void update_wanted() { wanted_ = idle_ > 0 && offered_ == nullptr; }

  std::mutex mutex_;  // of what follows
  std::condition_variable changed_;
  std::shared_ptr<WalkShare> offered_;
  int idle_ = 0;  // threads that wait
  bool ended_ = false;

  std::atomic<bool> wanted_{false};  // looked at without the mutex
  bool started_ = false;
  std::unique_ptr<backend::WatchPlacer> placer_;
  std::thread second_;
};

}  // namespace notify_core::watch
