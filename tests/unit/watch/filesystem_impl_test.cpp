// SPDX-License-Identifier: GPL-2.0-or-later
// A filesystem under one mark, with room for a few directories only: what is forgotten is found again.
#include "watch/filesystem_impl.hpp"

#include <doctest/doctest.h>
#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <set>
#include <string>

#include "watcher_scene.hpp"

using namespace notify_core;
namespace fs = std::filesystem;

namespace {

constexpr std::size_t most_known = 100;
constexpr int parents = 20, children = 20;  // four times as many as are remembered

class Filesystem : public EventSink {
 public:
  Filesystem() { fs::create_directory(room_.at("t")); }

  // False where this user or this filesystem cannot.
  bool watch() {
    WatcherOptions options;
    options.backend = Backend::fanotify_filesystem;
    options.mask = mask::create | mask::move;
    auto backend =
        backend::FanotifyBackend::create(backend::FanotifyScope::filesystems, mask::create | mask::move);
    if (!backend) return false;
    watcher_ =
        std::make_unique<WatcherInside::FilesystemImpl>(options, std::move(backend).value(), most_known);
    return static_cast<bool>(watcher_->add(room_.at("t").string(), {}));
  }

  // What others do counts as foreign to a watcher; what this process does it leaves out.
  void shell(const std::string& command) const {
    REQUIRE(::system(("cd " + room_.path().string() + " && " + command).c_str()) == 0);
  }

  // The paths below the operand that were created since.
  std::set<std::string> settle() {
    created_.clear();
    for (int quiet = 0; quiet < 3;) {
      const Result<Watcher::Wait> waited = watcher_->dispatch(*this);
      REQUIRE(waited);
      quiet = *waited == Watcher::Wait::timed_out ? quiet + 1 : 0;
      most_inside_ = std::max(most_inside_, inside());
    }
    return created_;
  }

  std::size_t most_inside() const { return most_inside_; }

  bool on_event(const Event& event) override {
    const std::string path = std::string(event.watched).append(event.name);
    if (event.mask & mask::create) created_.insert(path.substr(room_.path().string().size() + 1));
    return true;
  }

 private:
  std::size_t inside() const {
    std::size_t count = 0;
    const watch::WatchTree& tree = watcher_->tree();
    tree.for_each([&](watch::NodeId node) {
      if (tree.path(node).starts_with(room_.path().string())) ++count;
    });
    return count;
  }

  Room room_;
  std::unique_ptr<WatcherInside::FilesystemImpl> watcher_;
  std::set<std::string> created_;
  std::size_t most_inside_ = 0;
};

std::set<std::string> files(const std::string& top, const std::string& name) {
  std::set<std::string> paths;
  for (int parent = 1; parent <= parents; ++parent) {
    for (int child = 1; child <= children; ++child)
      paths.insert(top + "/" + std::to_string(parent) + "/" + std::to_string(child) + "/" + name);
  }
  return paths;
}

std::string for_each(const std::string& command) {
  return "for p in $(seq " + std::to_string(parents) + "); do for c in $(seq " + std::to_string(children) +
         "); do " + command + "; done; done";
}

std::string make(const std::string& top) {
  return "mkdir -p $(" + for_each("echo " + top + "/$p/$c") + ")";
}

std::string touch(const std::string& top, const std::string& name) {
  return for_each(": > " + top + "/$p/$c/" + name);
}

}  // namespace

TEST_CASE("directories that had to be forgotten have their paths when they are heard of again") {
  Filesystem filesystem;
  filesystem.shell(make("t/a"));
  if (!filesystem.watch()) {
    MESSAGE("left out: a whole filesystem is watched by root only, and not every one can be");
    return;
  }
  for (const std::string name : {"one", "two"}) {
    filesystem.shell(touch("t/a", name));
    CHECK(filesystem.settle() == files("t/a", name));
    CHECK(filesystem.most_inside() <= most_known);
  }
  filesystem.shell("mv t/a t/b; " + touch("t/b", "three"));
  CHECK(filesystem.settle() == files("t/b", "three"));
  filesystem.shell("mv t/b t/c");
  filesystem.settle();
  filesystem.shell(touch("t/c", "four"));
  CHECK(filesystem.settle() == files("t/c", "four"));
  CHECK(filesystem.most_inside() <= most_known);
}
