// SPDX-License-Identifier: GPL-2.0-or-later
// A target's worker with children and time that the test makes up.
#pragma once

#include <doctest/doctest.h>
#include <fcntl.h>

#include <algorithm>
#include <map>

#include "inotifysync/delivery/target_worker.hpp"

namespace worker_fixture {

using namespace inotifysync;
using namespace std::chrono_literals;

class FakeTimers : public Timers {
 public:
  Clock::time_point now() const override { return now_; }
  std::unique_ptr<Timer> timer(std::function<void()> expired) override;

  void pass(Duration time) {
    const auto end = now_ + time;
    while (true) {
      auto next = set_.end();
      for (auto one = set_.begin(); one != set_.end(); ++one)
        if (one->second.first <= end && (next == set_.end() || one->second.first < next->second.first))
          next = one;
      if (next == set_.end()) break;
      now_ = std::max(now_, next->second.first);
      const auto expired = next->second.second;
      set_.erase(next);
      expired();
    }
    now_ = end;
  }

 private:
  class One;
  Clock::time_point now_{};
  std::map<const Timer*, std::pair<Clock::time_point, std::function<void()>>> set_;
};

class FakeTimers::One : public Timer {
 public:
  One(FakeTimers& of, std::function<void()> expired) : of_(of), expired_(std::move(expired)) {}
  ~One() override { cancel(); }
  void set(Duration after) override { of_.set_[this] = {of_.now_ + after, expired_}; }
  void cancel() override { of_.set_.erase(this); }
  bool is_set() const override { return of_.set_.contains(this); }

 private:
  FakeTimers& of_;
  std::function<void()> expired_;
};

inline std::unique_ptr<Timer> FakeTimers::timer(std::function<void()> expired) {
  return std::make_unique<One>(*this, std::move(expired));
}

class FakeSpawner : public Spawner {
 public:
  struct Started : Child {
    Started(FakeSpawner& of, std::vector<std::string> with, ChildListener& to)
        : spawner(of), arguments(std::move(with)), listener(to) {}
    ~Started() override { std::erase(spawner.running, this); }
    void give_input(std::string bytes) override { input = std::move(bytes); }
    void end(Duration) override { told_to_end = true; }
    std::optional<std::uint64_t> bytes_moved() const override { return moved; }
    int pid() const override { return 1; }

    bool has(std::string_view argument) const {
      return std::find(arguments.begin(), arguments.end(), argument) != arguments.end();
    }
    // Ends the child, which may be destroyed by that.
    void exit(int status, const std::string& output = {}, const std::string& errors = {}) {
      if (!output.empty()) listener.on_output(output);
      if (!errors.empty()) listener.on_error_output(errors);
      listener.on_exit({false, status});
    }

    FakeSpawner& spawner;
    std::vector<std::string> arguments;
    ChildListener& listener;
    std::optional<std::string> input;
    std::optional<std::uint64_t> moved = 0;
    bool told_to_end = false;
  };

  Result<std::unique_ptr<Child>> start(const ChildCommand& command, ChildListener& listener) override {
    auto child = std::make_unique<Started>(*this, command.arguments, listener);
    running.push_back(child.get());
    ++count;
    return std::unique_ptr<Child>(std::move(child));
  }

  std::vector<Started*> running;
  int count = 0;
};

// A source in which every path is a file of ten bytes.
struct AllFiles : FileSystemView {
  FileInfo lstat(const std::string& path) override {
    if (path.starts_with("gone")) return {};
    if (path.starts_with("link"))  // one file by several names
      return {.type = FileInfo::Type::file, .size = 10, .device = 1, .inode = 1, .links = 3};
    return {.type = FileInfo::Type::file, .size = 10, .device = 1, .inode = std::hash<std::string>{}(path)};
  }
  bool list(const std::string&, const std::function<void(std::string_view)>&) override { return true; }
};

struct Fixture : WorkerHost {
  explicit Fixture(WorkerOptions options = {}, std::unique_ptr<TargetLook> local = nullptr)
      : look(std::move(local)) {
    options.rsync.source = "/source";
    target = parse_target("rsync://web1/content/").value();
    worker = std::make_unique<TargetWorker>(target, options, views, 0, *this);
  }

  Timers& timers() override { return time; }
  Spawner& spawner() override { return children; }
  std::shared_ptr<const Batch> plan(const std::shared_ptr<const ChangeSet>& changes, Deletion deletion,
                                    bool links) override {
    AllFiles files;
    PlanOptions plan_options;
    plan_options.deletion = deletion;
    plan_options.links = links;
    plan_options.source = from_root ? way : "";
    return std::make_shared<Batch>(plan_batch(*changes, files, plan_options));
  }
  notify_core::sys::Fd trusted_source() override {
    return notify_core::sys::Fd(trusted ? ::open("/", O_RDONLY | O_CLOEXEC) : -1);
  }
  bool may_delete_in_full_pass() override { return !source_empty; }
  bool is_there(std::string_view) override { return source_holds_all; }
  FileInfo lstat(std::string_view path) override {
    return path == vanished ? FileInfo{} : AllFiles().lstat(std::string(path));
  }
  std::uint64_t losses() override { return 7; }
  std::vector<std::string> have_lost_names(std::uint64_t since) override {
    return since == 7 ? names_of_losers : std::vector<std::string>{};
  }
  std::unique_ptr<TargetLook> look_at(const Target&) override { return std::move(look); }
  bool take_place(TargetWorker&) override { return true; }
  void leave_place(TargetWorker&) override { ++left_places; }
  std::string control_directory() override { return "/sockets"; }
  void leave_connections() override { ++left_connections; }
  double chance() override { return 0; }
  std::int64_t wall_clock() override { return 1000; }
  void on_delivered(const BatchReport&, bool full) override { full ? ++full_passes : ++delivered; }
  void on_trouble(const std::string&, const std::string& words, std::optional<Duration>) override {
    troubles.push_back(words);
  }
  void on_recovered(const std::string&) override { ++recovered; }
  void on_state(TargetWorker&) override {}

  void change(const std::string& path, Dirt dirt = dirt::content) {
    ChangeSet set;
    set.mark(path, dirt);
    views.add(std::move(set));
    worker->changed();
  }
  void remove(std::initializer_list<const char*> paths) {
    ChangeSet set;
    for (const char* path : paths) set.mark(path, dirt::gone);
    views.add(std::move(set));
    worker->changed();
  }
  FakeSpawner::Started& child() {
    REQUIRE(children.running.size() == 1);
    return *children.running.front();
  }
  // Ends the running list run, having confirmed `paths`.
  void confirm(const std::vector<std::string>& paths) {
    std::string output;
    for (const std::string& path : paths) output += ">f.st...... 10 " + path + "\n";
    child().exit(0, output);
  }

  std::unique_ptr<TargetLook> look;  // until the worker has it
  FakeTimers time;
  FakeSpawner children;
  Views views{1};
  Target target;
  bool trusted = true, source_empty = false, source_holds_all = false, from_root = true;
  std::string vanished;
  std::vector<std::string> names_of_losers;
  std::string way = "/source";  // by which lists lead to the source
  int full_passes = 0, delivered = 0, recovered = 0, left_connections = 0, left_places = 0;
  std::vector<std::string> troubles;
  std::unique_ptr<TargetWorker> worker;
};

constexpr auto refused =
    "rsync: [sender] failed to connect to web1 (1.2.3.4): Connection refused (111)\n"
    "rsync error: error in socket IO (code 10) at clientserver.c(139) [sender=3.5.0]\n";

}  // namespace worker_fixture
