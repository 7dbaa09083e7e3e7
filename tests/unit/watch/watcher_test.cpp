// SPDX-License-Identifier: GPL-2.0-or-later
// What a watcher makes of events that come in pieces, or in an order, which no test of a whole program can
// bring about: real directories, and a queue of which the test decides when it gives what.
#include "notify_core/watcher.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "backend/inotify_backend.hpp"
#include "watch/watcher_impl.hpp"

namespace notify_core {
struct WatcherInside {
  using Impl = Watcher::Impl;
};
}  // namespace notify_core

namespace {

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
  std::size_t watch_count() const { return watched_.size(); }

  int descriptor() const override { return real_->descriptor(); }
  int enter(int directory) override { return real_->enter(directory); }
  int add(const char* name, EventMask events, unsigned flags) override {
    if (before_add_) before_add_(name);
    return noted(real_->add(name, events, flags));
  }
  int add_path(const char* path, EventMask events, unsigned flags) override {
    return noted(real_->add_path(path, events, flags));
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
    const std::size_t count = std::min(dealer_ ? dealer_(queue_) : queue_.size(), queue_.size());
    batch_.assign(queue_.begin(), queue_.begin() + static_cast<std::ptrdiff_t>(count));
    queue_.erase(queue_.begin(), queue_.begin() + static_cast<std::ptrdiff_t>(count));
    for (const Kept& kept : batch_) {
      if (kept.record.mask & mask::ignored) watched_.erase(kept.record.watch);
    }
    next_ = 0;
    return count == 0 ? -EAGAIN : static_cast<std::ptrdiff_t>(count);
  }
  bool next(backend::Record& record) override {
    if (next_ == batch_.size()) return false;
    record = batch_[next_].record;
    record.name = batch_[next_++].name;
    return true;
  }

 private:
  int noted(int watch) {
    if (watch >= 0) watched_.insert(watch);
    return watch;
  }

  std::unique_ptr<backend::WatchBackend> real_;
  Dealer dealer_;
  std::function<void(const std::string&)> before_add_;
  std::set<int> watched_;
  Queue queue_;
  Queue batch_;
  std::size_t next_ = 0;
};

// A tree `t` under watch, and what is said of it.
class Scene : public EventSink {
 public:
  Scene() {
    char pattern[] = "/tmp/notify-watcher-XXXXXX";
    top_ = ::mkdtemp(pattern);
    fs::create_directory(top_ / "t");
    fs::create_directory(top_ / "o");
  }
  ~Scene() override { fs::remove_all(top_); }

  fs::path at(const std::string& path) const { return top_ / path; }
  void touch(const std::string& path) const { std::ofstream(at(path)).put('x'); }

  void watch() {
    WatcherOptions options;
    options.mask = mask::create | mask::remove | mask::move;
    options.recursive = options.follow_tree = true;
    auto queued = std::make_unique<Queued>(backend::InotifyBackend::create().value());
    queue_ = queued.get();
    watcher_ = std::make_unique<WatcherInside::Impl>(std::move(options), std::move(queued));
    REQUIRE(watcher_->add((top_ / "t").string(), {}));
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
  const watch::WatchTree& tree() const { return watcher_->tree(); }

  bool on_event(const Event& event) override {
    std::string line(event.watched.substr(top_.string().size() + 1));
    line.append(event.name);
    lines_.push_back((event.mask & mask::create ? "CREATE " : "other ") + line);
    return true;
  }

 private:
  fs::path top_;
  std::unique_ptr<WatcherInside::Impl> watcher_;
  Queued* queue_ = nullptr;
  std::vector<std::string> lines_;
};

// One at a time: a read comes to the end of the queue after every event.
std::size_t one(Queue&) {
  return 1;
}

// What two threads may bring about: the directory has moved, and its MOVE_SELF is queued last.
std::size_t move_self_last(Queue& queue) {
  std::stable_partition(queue.begin(), queue.end(),
                        [](const Kept& kept) { return (kept.record.mask & mask::move_self) == 0; });
  return queue.size();
}

void exchange(const fs::path& a, const fs::path& b) {
  REQUIRE(::renameat2(AT_FDCWD, a.c_str(), AT_FDCWD, b.c_str(), RENAME_EXCHANGE) == 0);
}

// Directories known when the watching began, born since, or born and not yet spoken of; and a queue that is
// read at once or event by event.
template <class Play>
void for_every_way(Play play) {
  enum Birth { known, born, unspoken };
  for (const Birth birth : {known, born, unspoken}) {
    for (const bool one_by_one : {false, true}) {
      CAPTURE(birth);
      CAPTURE(one_by_one);
      Scene scene;
      play(birth == known, scene, [&] {
        if (one_by_one) scene.queue().deal(one);
        if (birth != unspoken) scene.settle();
      });
    }
  }
}

void check_places(Scene& scene, const std::vector<std::string>& directories) {
  for (const std::string& path : directories) {
    CHECK(scene.place_of_file_in(path) == "CREATE " + path + "/probe");
  }
}

bool holds(const std::vector<std::string>& lines, const std::string& line) {
  return std::find(lines.begin(), lines.end(), line) != lines.end();
}

}  // namespace

TEST_CASE("what happens in a renamed directory is said of its new path before its MOVE_SELF is read") {
  Scene scene;
  fs::create_directories(scene.at("t/a/s"));
  scene.watch();
  scene.settle();
  fs::rename(scene.at("t/a"), scene.at("t/b"));
  scene.touch("t/b/f");
  scene.touch("t/b/s/g");
  scene.queue().deal(move_self_last);
  const std::vector<std::string> said = scene.settle();
  CHECK(holds(said, "CREATE t/b/f"));
  CHECK(holds(said, "CREATE t/b/s/g"));
}

TEST_CASE("two directories change places") {
  for_every_way([](bool known, Scene& scene, auto&& go_on) {
    if (!known) scene.watch();
    fs::create_directories(scene.at("t/a/in-a"));
    fs::create_directories(scene.at("t/d/b/in-b"));
    if (known) scene.watch();
    go_on();
    exchange(scene.at("t/a"), scene.at("t/d/b"));
    check_places(scene, {"t/a", "t/a/in-b", "t/d/b", "t/d/b/in-a"});
  });
}

TEST_CASE("a directory takes the place of an empty one") {
  for_every_way([](bool known, Scene& scene, auto&& go_on) {
    if (!known) scene.watch();
    fs::create_directories(scene.at("t/a/s"));
    fs::create_directories(scene.at("t/b"));
    if (known) scene.watch();
    go_on();
    fs::rename(scene.at("t/a"), scene.at("t/b"));
    check_places(scene, {"t/b", "t/b/s"});
  });
}

TEST_CASE("two directories change places across the border of the tree") {
  for_every_way([](bool known, Scene& scene, auto&& go_on) {
    if (!known) scene.watch();
    fs::create_directories(scene.at("t/a/in-a"));
    fs::create_directories(scene.at("o/b/in-b"));
    if (known) scene.watch();
    go_on();
    exchange(scene.at("t/a"), scene.at("o/b"));
    check_places(scene, {"t/a", "t/a/in-b"});
    CHECK(scene.tree().size() == 3);
  });
}

TEST_CASE("a directory is renamed again and again, and another one takes its place") {
  for_every_way([](bool known, Scene& scene, auto&& go_on) {
    if (!known) scene.watch();
    fs::create_directories(scene.at("t/a/s"));
    fs::create_directories(scene.at("t/d"));
    if (known) scene.watch();
    go_on();
    fs::rename(scene.at("t/a"), scene.at("t/b"));
    fs::create_directories(scene.at("t/a/new"));
    fs::rename(scene.at("t/b"), scene.at("t/d/c"));
    fs::rename(scene.at("t/a"), scene.at("t/b"));
    check_places(scene, {"t/d/c", "t/d/c/s", "t/b", "t/b/new"});
    CHECK(scene.tree().size() == 6);
  });
}

// Deeper than directories are kept open, so the walk climbs back by "..".
TEST_CASE("a directory that leaves the tree while it is listed takes no watch to where it went") {
  Scene scene;
  std::string deep = "o/x", middle;
  for (int level = 0; level < 40; ++level) {
    deep += "/d" + std::to_string(level);
    if (level == 5) middle = deep;
  }
  fs::create_directories(scene.at(deep));
  scene.watch();
  scene.queue().before_add([&](const std::string& name) {
    if (name != "d38") return;
    std::error_code gone_already;
    fs::rename(scene.at("t" + middle.substr(1)), scene.at("o/left"), gone_already);
  });
  fs::rename(scene.at("o/x"), scene.at("t/x"));
  scene.settle();
  CHECK(scene.tree().size() == 7);
  CHECK(scene.queue().watch_count() == scene.tree().size());
}

namespace {

// Up to and with the first event of this kind and name.
std::size_t up_to(const Queue& queue, EventMask event, std::string_view name) {
  const auto last = std::ranges::find_if(
      queue, [&](const Kept& kept) { return (kept.record.mask & event) != 0 && kept.name == name; });
  REQUIRE(last != queue.end());
  return static_cast<std::size_t>(last - queue.begin()) + 1;
}

std::size_t count(const std::vector<std::string>& lines, const std::string& line) {
  return static_cast<std::size_t>(std::count(lines.begin(), lines.end(), line));
}

}  // namespace

// A watched directory goes into one that has just arrived, and that has another name by the time it could be
// listed there.
TEST_CASE("what came back into the tree is said once, and all of it") {
  Scene scene;
  fs::create_directories(scene.at("o/new"));
  fs::create_directories(scene.at("t/x/s"));
  scene.touch("t/x/f");
  scene.watch();
  fs::rename(scene.at("o/new"), scene.at("t/new"));
  fs::rename(scene.at("t/x"), scene.at("t/new/d"));
  int step = 0;
  scene.queue().deal([&](Queue& queue) {
    if (step++ == 0) return up_to(queue, mask::moved_to, "new");
    if (step == 2) {
      fs::rename(scene.at("t/new"), scene.at("t/other"));
      return up_to(queue, mask::move_self, "");
    }
    return queue.size();
  });
  const std::vector<std::string> said = scene.settle();
  CHECK(count(said, "CREATE t/new/d") + count(said, "CREATE t/other/d") == 1);
  CHECK(count(said, "CREATE t/new/d/s") + count(said, "CREATE t/other/d/s") == 1);
  CHECK(count(said, "CREATE t/other/d/f") == 1);
}

TEST_CASE("what was said of a directory's old place is said again where it came back") {
  Scene scene;
  fs::create_directories(scene.at("o/new"));
  fs::create_directories(scene.at("o/late"));
  fs::create_directories(scene.at("t/x/s"));
  fs::create_directories(scene.at("t/y"));
  scene.watch();
  fs::rename(scene.at("o/new"), scene.at("t/new"));
  fs::rename(scene.at("t/y"), scene.at("t/new/e"));
  int step = 0;
  scene.queue().deal([&](Queue& queue) {
    switch (step++) {
      case 0:
        return up_to(queue, mask::moved_to, "new");
      case 1:  // y cannot be listed yet
        fs::rename(scene.at("t/new"), scene.at("t/other"));
        scene.touch("t/x/f");
        fs::rename(scene.at("o/late"), scene.at("t/late"));
        fs::rename(scene.at("t/x"), scene.at("t/late/d"));
        return up_to(queue, mask::move_self, "");
      case 2:
        fs::rename(scene.at("t/other"), scene.at("t/third"));
        return up_to(queue, mask::moved_to, "late");
      default:
        return queue.size();
    }
  });
  const std::vector<std::string> said = scene.settle();
  CHECK(count(said, "CREATE t/x/f") == 1);
  for (const char* const name : {"t/late/d", "t/late/d/s", "t/late/d/f"}) {
    CAPTURE(name);
    CHECK(count(said, "CREATE " + std::string(name)) == 1);
  }
}

TEST_CASE("what leaves a directory that came back and is not listed yet is told of where it goes") {
  Scene scene;
  fs::create_directories(scene.at("o/new"));
  fs::create_directories(scene.at("t/x/s/below"));
  fs::create_directories(scene.at("t/x/stays"));
  scene.touch("t/x/s/f");
  scene.touch("t/x/s/below/g");
  scene.watch();
  fs::rename(scene.at("o/new"), scene.at("t/new"));
  fs::rename(scene.at("t/x"), scene.at("t/new/d"));
  int step = 0;
  scene.queue().deal([&](Queue& queue) {
    if (step++ == 0) return up_to(queue, mask::moved_to, "new");
    if (step == 2) {
      fs::rename(scene.at("t/new"), scene.at("t/other"));
      fs::rename(scene.at("t/other/d/s"), scene.at("t/went"));
      return up_to(queue, mask::move_self, "");
    }
    return queue.size();
  });
  const std::vector<std::string> said = scene.settle();
  for (const char* const path : {"t/went/f", "t/went/below/g"}) {
    CAPTURE(path);
    CHECK(count(said, "CREATE " + std::string(path)) == 1);
  }
  CHECK(count(said, "CREATE t/went/below") + count(said, "CREATE t/new/d/s/below") +
            count(said, "CREATE t/other/d/s/below") ==
        1);
}
