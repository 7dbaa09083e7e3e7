// SPDX-License-Identifier: GPL-2.0-or-later
// Directories of the tree that are not watched for a while, as something hid them or watches ran out.
#include <doctest/doctest.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "watch/watcher_scene.hpp"

namespace {

using namespace watcher_scene;
using namespace std::chrono_literals;

using Lines = std::vector<std::string>;

Kept unmount_of(int watch) {
  Kept kept;
  kept.record.watch = watch;
  kept.record.mask = mask::unmount | mask::is_directory;
  return kept;
}

// A tree in which no name that begins with "n" finds a watch, until some are freed.
class Full : public Scene {
 public:
  void fill() {
    watch();
    settle();
    queue().refuse([](const std::string& name) { return name.starts_with("n") ? -ENOSPC : 0; });
  }
  // What is told to be there once there are watches again, as a directory of the tree was deleted.
  Lines free(const std::string& path) {
    queue().refuse({});
    fs::remove(at(path));
    Lines said = settle();
    std::erase_if(said, [](const std::string& line) { return !line.starts_with("CREATE"); });
    std::ranges::sort(said);
    return said;
  }
};

void check_hears_of(Scene& scene, const std::string& path) {
  CHECK(scene.place_of_file_in(path) == "CREATE " + path + "/probe");
}

// All that is queued is lost, and the tree repaired.
Lines overflow(Scene& scene) {
  bool lost = false;
  scene.queue().deal(
      [&](Queue& queue) { return std::exchange(lost, true) ? queue.size() : Queued::overflow(queue); });
  Lines said = scene.settle();
  scene.queue().deal({});
  return said;
}

}  // namespace

TEST_CASE("what was made beyond the limit of watches is watched, and told, when some are freed") {
  Full scene;
  fs::create_directories(scene.at("t/a"));
  fs::create_directories(scene.at("t/gone"));
  scene.fill();
  fs::create_directories(scene.at("t/a/n1/d/e"));
  fs::create_directories(scene.at("t/a/b/n2/d"));
  scene.touch("t/a/b/n2/f");
  scene.touch("t/a/b/f");
  Lines said = scene.settle();
  std::ranges::sort(said);
  CHECK(said == Lines{"CREATE t/a/b", "CREATE t/a/b/f", "CREATE t/a/b/n2", "CREATE t/a/n1"});
  said = scene.free("t/gone");
  CHECK(said == Lines{"CREATE t/a/b/n2/d", "CREATE t/a/b/n2/f", "CREATE t/a/n1/d", "CREATE t/a/n1/d/e"});
  CHECK(scene.tree().size() == 8);
  for (const char* const path : {"t/a/b/n2/d", "t/a/b/n2", "t/a/n1/d/e"}) check_hears_of(scene, path);
}

TEST_CASE("what was moved in beyond the limit of watches is watched when some are freed, and is no news") {
  Full scene;
  fs::create_directories(scene.at("t/gone"));
  fs::create_directories(scene.at("o/n1/d/e"));
  fs::create_directories(scene.at("o/x/y/n2/d"));
  fs::create_directories(scene.at("o/x/y/z"));
  scene.fill();
  fs::rename(scene.at("o/n1"), scene.at("t/n1"));
  fs::rename(scene.at("o/x"), scene.at("t/x"));
  scene.settle();
  fs::create_directories(scene.at("t/x/y/n3/f"));  // beside an old one
  scene.settle();
  CHECK(scene.free("t/gone") == Lines{"CREATE t/x/y/n3/f"});
  CHECK(scene.tree().size() == 11);
  for (const char* const path : {"t/n1/d/e", "t/x/y/n2/d", "t/x/y/z", "t/x/y/n3/f"})
    check_hears_of(scene, path);
}

TEST_CASE("watches that others freed are found as soon as a second later something happens") {
  Full scene;
  scene.fill();
  fs::create_directories(scene.at("t/n/d"));
  scene.settle();
  scene.queue().refuse({});
  for (int rounds = 0; scene.tree().size() < 3 && rounds < 1'000'000; ++rounds) {
    scene.touch("t/f");
    scene.settle();
    fs::remove(scene.at("t/f"));
  }
  scene.settle();
  check_hears_of(scene, "t/n/d");
}

TEST_CASE("watches that others freed are found where nothing happens, too") {
  Scene scene;
  scene.watch();
  CHECK_FALSE(scene.watcher().next_timeout());
  scene.queue().refuse([](const std::string& name) { return name == "new" ? -ENOSPC : 0; });
  fs::create_directory(scene.at("t/new"));
  scene.settle();
  REQUIRE(scene.watcher().next_timeout());
  CHECK(*scene.watcher().next_timeout() > 500ms);
  scene.queue().refuse({});
  const auto deadline = std::chrono::steady_clock::now() + 30s;
  while (scene.queue().watch_count() < 2 && std::chrono::steady_clock::now() < deadline)
    REQUIRE(scene.watcher().wait(100ms, scene));
  CHECK_FALSE(scene.watcher().next_timeout());
  CHECK(scene.place_of_file_in("t/new") == "CREATE t/new/probe");
}

TEST_CASE("a repair for which watches do not suffice puts all in its place that is watched") {
  Full scene;
  for (const char* const name : {"1", "2", "3", "4"}) {
    fs::create_directories(scene.at("t") / name / "s/below");
  }
  fs::create_directories(scene.at("t/left"));
  fs::create_directories(scene.at("t/gone"));
  scene.fill();
  for (const std::string name : {"1", "2", "3", "4"}) {
    fs::create_directories(scene.at("t/" + name + "/new/d"));
    fs::rename(scene.at("t/" + name), scene.at("t/m" + name));
  }
  fs::rename(scene.at("t/left"), scene.at("o/left"));
  fs::create_directories(scene.at("t/new/d"));
  Lines said = overflow(scene);
  std::ranges::sort(said);
  CHECK(said ==
        Lines{"CREATE t/m1/new", "CREATE t/m2/new", "CREATE t/m3/new", "CREATE t/m4/new", "CREATE t/new"});
  CHECK(scene.tree().size() == 14);
  for (const std::string name : {"1", "2", "3", "4"}) check_hears_of(scene, "t/m" + name + "/s/below");
  said = scene.free("t/gone");
  CHECK(said == Lines{"CREATE t/m1/new/d", "CREATE t/m2/new/d", "CREATE t/m3/new/d", "CREATE t/m4/new/d",
                      "CREATE t/new/d"});
  CHECK(scene.tree().size() == 23);
}

TEST_CASE("what an unmounted filesystem had hidden is watched, in whatever order its end is told") {
  for (const bool lowest_first : {false, true}) {
    CAPTURE(lowest_first);
    Scene scene;
    fs::create_directories(scene.at("t/m/s"));
    scene.watch();
    scene.settle();
    std::vector<int> watches;
    scene.tree().for_each([&](watch::NodeId node) {
      if (!scene.tree().is_root(node)) watches.push_back(scene.tree().watch(node));
    });
    std::ranges::sort(watches);
    if (lowest_first) std::ranges::reverse(watches);
    Queue told;  // the directories that the tests can have stay, and come under watch anew
    for (const int watch : watches) {
      told.push_back(unmount_of(watch));
      scene.queue().remove(watch);
    }
    scene.queue().deal([&](Queue& queue) {
      queue.insert(queue.begin(), told.begin(), told.end());
      told.clear();
      return queue.size();
    });
    const Lines said = scene.settle();
    CHECK(std::ranges::count_if(said, [](const auto& line) { return line.starts_with("CREATE"); }) == 0);
    scene.queue().deal({});
    CHECK(scene.tree().size() == 3);
    for (const char* const path : {"t", "t/m", "t/m/s"})
      CHECK(scene.place_of_file_in(path) == std::string("CREATE ") + path + "/probe");
  }
}

TEST_CASE("a tree that a limit cut short is taken up again by the next add(), which says how that went") {
  for (const int limit : {-ENOSPC, -EMFILE}) {
    CAPTURE(limit);
    Scene scene;
    scene.watch();
    const std::vector<std::string> places{"o/1/s", "o/2/s", "o/3/s"};
    for (const std::string& place : places) fs::create_directories(scene.at(place));
    scene.queue().refuse([limit](const std::string& name) { return name == "s" ? limit : 0; });
    for (int time = 0; time < 2; ++time) {
      const Result<void> added = scene.watcher().add(scene.at("o").string(), {});
      REQUIRE_FALSE(added);
      CHECK(added.error().number == -limit);
    }
    scene.queue().refuse({});
    CHECK(scene.watcher().add(scene.at("o").string(), {}));
    CHECK(scene.settle().empty());  // of what was there before
    for (const std::string& place : places)
      CHECK(scene.place_of_file_in(place) == "CREATE " + place + "/probe");
    CHECK(scene.queue().watch_count() == 8);  // with "t"
    CHECK(scene.watcher().add(scene.at("o").string(), {}));
  }
}
