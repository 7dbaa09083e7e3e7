// SPDX-License-Identifier: GPL-2.0-or-later
// A watcher of real directories, and a queue of which the test decides when it gives what: for events that
// come in pieces, or in an order, which no test of a whole program can bring about.
#pragma once

#include <doctest/doctest.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "backend/inotify_backend.hpp"
#include "notify_core/watcher.hpp"
#include "room.hpp"
#include "watch/watcher_impl.hpp"

namespace notify_core {
struct WatcherInside {
  using Impl = Watcher::Impl;
  using FilesystemImpl = Watcher::FilesystemImpl;
};
}  // namespace notify_core

namespace watcher_scene {

using namespace notify_core;
namespace fs = std::filesystem;

struct Kept {
  backend::Record record;
  std::string name;
};
using Queue = std::vector<Kept>;

// inotify, but what it queued passes through the test's hands.
class Queued final : public backend::WatchBackend {
 public:
  // Says how many of what is queued the next read brings; may change the order.
  using Dealer = std::function<std::size_t(Queue&)>;

  explicit Queued(std::unique_ptr<backend::WatchBackend> real) : real_(std::move(real)) {}

  void deal(Dealer dealer) { dealer_ = std::move(dealer); }
  // What is done just before a name is looked up to be watched.
  void before_add(std::function<void(const std::string&)> work) { before_add_ = std::move(work); }
  // What is done just before an open directory is entered.
  void before_enter(std::function<void(int)> work) { before_enter_ = std::move(work); }
  // Says with which negative errno this name is refused to be watched; 0: not at all.
  void refuse(std::function<int(const std::string&)> refusal) { refusal_ = std::move(refusal); }
  // The rest of what is queued is lost, and the kernel says so.
  static std::size_t overflow(Queue& queue) {
    Kept overflow;
    overflow.record.mask = mask::q_overflow;
    queue.assign(1, overflow);
    return 1;
  }
  // False: what is read ahead of its turn brings nothing, as if it were not queued yet.
  void let_read_on(bool let) { reads_on_ = let; }
  std::size_t watch_count() const { return watched_.size(); }
  // Calls that replaced what a watch was asked for, by no less: inotify loses events in that moment.
  std::size_t careless_calls() const { return careless_; }

  int descriptor() const override { return real_->descriptor(); }
  int enter(int directory) override {
    if (before_enter_) before_enter_(directory);
    return real_->enter(directory);
  }
  int add(const char* name, EventMask events, unsigned flags) override {
    if (before_add_) before_add_(name);
    if (const int refused = refusal_ ? refusal_(name) : 0; refused < 0) return refused;
    return noted(real_->add(name, events, flags), events, flags);
  }
  int add_path(const char* path, EventMask events, unsigned flags) override {
    return noted(real_->add_path(path, events, flags), events, flags);
  }
  int remove(int watch) override {
    watched_.erase(watch);
    return real_->remove(watch);
  }
  bool keeps_place() const override { return real_->keeps_place(); }
  void use_working_directory(bool use) override { real_->use_working_directory(use); }
  bool drained() const override { return true; }
  std::size_t queue_limit() const override { return real_->queue_limit(); }
  const char* adding_call() const override { return real_->adding_call(); }

  std::ptrdiff_t fill() override {
    while (real_->fill() > 0) {
      for (backend::Record record; real_->next(record);) queue_.push_back({record, std::string(record.name)});
    }
    batch_.clear();
    next_ = 0;
    const std::size_t count = take(dealer_ ? dealer_(queue_) : queue_.size());
    return count == 0 ? -EAGAIN : static_cast<std::ptrdiff_t>(count);
  }
  bool read_on() override {
    batch_.erase(batch_.begin(), batch_.begin() + static_cast<std::ptrdiff_t>(next_));
    next_ = 0;
    return take(reads_on_ ? queue_.size() : 0) > 0;
  }
  std::uint64_t reads() const override { return reads_; }
  void visit_unread(const std::function<bool(const backend::Record&)>& visit) override {
    for (std::size_t at = next_; at < batch_.size(); ++at) {
      backend::Record record = batch_[at].record;
      record.name = batch_[at].name;
      if (!visit(record)) return;
    }
  }
  bool next(backend::Record& record) override {
    if (next_ == batch_.size()) return false;
    record = batch_[next_].record;
    record.name = batch_[next_++].name;
    return true;
  }

 private:
  std::size_t take(std::size_t most) {
    const std::size_t count = std::min(most, queue_.size());
    for (std::size_t i = 0; i < count; ++i) {
      if (queue_[i].record.mask & mask::ignored) watched_.erase(queue_[i].record.watch);
      batch_.push_back(std::move(queue_[i]));
    }
    if (count > 0) ++reads_;
    queue_.erase(queue_.begin(), queue_.begin() + static_cast<std::ptrdiff_t>(count));
    return count;
  }

  int noted(int watch, EventMask events, unsigned flags) {
    if (watch < 0) return watch;
    const auto [known, is_new] = watched_.try_emplace(watch, events);
    if (is_new) return watch;
    const bool keeps = (flags & backend::add_keep_old_events) != 0;
    const bool silences = (events & ~known->second) == 0 && events != known->second;
    if (!keeps && !silences) ++careless_;
    known->second = keeps ? known->second | events : events;
    return watch;
  }

  std::unique_ptr<backend::WatchBackend> real_;
  Dealer dealer_;
  std::function<void(const std::string&)> before_add_;
  std::function<void(int)> before_enter_;
  std::function<int(const std::string&)> refusal_;
  std::map<int, EventMask> watched_;  // and what they were asked for
  std::size_t careless_ = 0;
  bool reads_on_ = true;
  Queue queue_;
  Queue batch_;
  std::size_t next_ = 0;
  std::uint64_t reads_ = 0;
};

// A tree `t` under watch, and what is said of it.
class Scene : public EventSink {
 public:
  Scene() {
    fs::create_directory(at("t"));
    fs::create_directory(at("o"));
  }

  fs::path at(const std::string& path) const { return room_.at(path); }
  void touch(const std::string& path) const { std::ofstream(at(path)).put('x'); }

  // Waits until nothing that was made in `path` so far could have been made just now, or in the last seconds.
  void let_age(const std::string& path, double seconds = 0.3) const {
    struct stat made, now;
    REQUIRE(::stat(at(path).c_str(), &made) == 0);
    do {
      touch(".clock");
      REQUIRE(::stat(at(".clock").c_str(), &now) == 0);
    } while (age(made.st_ctim, now.st_mtim) < seconds);
  }
  static double age(const timespec& then, const timespec& now) {
    return static_cast<double>(now.tv_sec - then.tv_sec) +
           static_cast<double>(now.tv_nsec - then.tv_nsec) / 1e9;
  }

  // `before_add`: see Queued.
  void watch(std::function<void(const std::string&)> before_add = {},
             EventMask events = mask::create | mask::remove | mask::move,
             std::function<void(int)> before_enter = {}) {
    WatcherOptions options;
    options.mask = events;
    options.recursive = options.follow_tree = true;
    auto queued = std::make_unique<Queued>(backend::InotifyBackend::create().value());
    queue_ = queued.get();
    queue_->before_add(std::move(before_add));
    queue_->before_enter(std::move(before_enter));
    watcher_ = std::make_unique<WatcherInside::Impl>(std::move(options), std::move(queued));
    REQUIRE(watcher_->add(at("t").string(), {}));
    queue_->before_add({});
    queue_->before_enter({});
  }

  // Hands on what is there, until there is nothing more; the lines said.
  std::vector<std::string> settle() {
    lines_.clear();
    for (int quiet = 0; quiet < 3;) {
      const Result<Watcher::Wait> waited = watcher_->dispatch(*this);
      REQUIRE(waited);
      quiet = *waited == Watcher::Wait::timed_out ? quiet + 1 : 0;
    }
    return lines_;
  }

  // Where the watcher says that a file made in `path` is.
  std::string place_of_file_in(const std::string& path) {
    settle();
    touch(path + "/probe");
    const std::vector<std::string> said = settle();
    fs::remove(at(path + "/probe"));
    settle();
    return said.size() == 1 ? said[0] : "not one line";
  }

  Queued& queue() { return *queue_; }
  WatcherInside::Impl& watcher() { return *watcher_; }
  const watch::WatchTree& tree() const { return watcher_->tree(); }

  bool on_event(const Event& event) override {
    if (event.watched.empty()) return true;  // an overflow
    std::string line(event.watched.substr(room_.path().string().size() + 1));
    line.append(event.name);
    lines_.push_back((event.mask & mask::create ? "CREATE " : "other ") + line);
    return true;
  }

 private:
  Room room_;
  std::unique_ptr<WatcherInside::Impl> watcher_;
  Queued* queue_ = nullptr;
  std::vector<std::string> lines_;
};

}  // namespace watcher_scene
