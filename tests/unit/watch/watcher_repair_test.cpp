// SPDX-License-Identifier: GPL-2.0-or-later
// The queue overflows, and the tree is repaired; what can be seen of it is not all there is.
#include <doctest/doctest.h>

#include <cerrno>
#include <string>

#include "watch/watcher_scene.hpp"

namespace {

using namespace watcher_scene;

// All that is queued is lost, and the tree repaired.
std::vector<std::string> overflow(Scene& scene) {
  bool lost = false;
  scene.queue().deal(
      [&](Queue& queue) { return std::exchange(lost, true) ? queue.size() : Queued::overflow(queue); });
  std::vector<std::string> said = scene.settle();
  scene.queue().deal({});
  return said;
}

void check_hears_of(Scene& scene, const std::string& path) {
  CHECK(scene.place_of_file_in(path) == "CREATE " + path + "/probe");
}

}  // namespace

TEST_CASE("what a repair does not come to for the limit of watches stays watched") {
  Scene scene;
  const std::vector<std::string> names{"1", "2", "3", "4"};
  for (const std::string& name : names) fs::create_directories(scene.at("t/" + name + "/s/below"));
  scene.watch();
  scene.settle();
  for (const std::string& name : names) fs::create_directory(scene.at("t/" + name + "/new"));
  scene.queue().refuse([](const std::string& name) { return name == "new" ? -ENOSPC : 0; });
  overflow(scene);
  for (int round = 0; round < 2; ++round) {  // the next repair takes nothing amiss that this one kept
    for (const std::string& name : names) {
      CAPTURE(name);
      check_hears_of(scene, "t/" + name);
      check_hears_of(scene, "t/" + name + "/s");
      check_hears_of(scene, "t/" + name + "/s/below");
    }
    scene.queue().refuse({});
    overflow(scene);
  }
  for (const std::string& name : names) check_hears_of(scene, "t/" + name + "/new");
}

TEST_CASE("what a repair cannot look at stays watched, and what it sees to be gone does not") {
  for (const int status : {-EACCES, -EMFILE}) {
    CAPTURE(status);
    Scene scene;
    fs::create_directories(scene.at("t/a/b/c"));
    fs::create_directories(scene.at("t/gone/s"));
    scene.watch();
    scene.settle();
    fs::rename(scene.at("t/gone"), scene.at("o/gone"));
    scene.queue().refuse([&](const std::string& name) { return name == "a" ? status : 0; });
    overflow(scene);
    scene.queue().refuse({});
    CHECK(scene.tree().size() == 4);
    check_hears_of(scene, "t/a");
    check_hears_of(scene, "t/a/b");
    check_hears_of(scene, "t/a/b/c");
  }
}

TEST_CASE("an operand that was away during an overflow is repaired when it is back") {
  for (const bool was_missed : {false, true}) {
    CAPTURE(was_missed);
    Scene scene;
    fs::create_directories(scene.at("t/d/s"));
    fs::create_directories(scene.at("t/gone"));
    scene.watch();
    fs::rename(scene.at("t"), scene.at("away"));
    if (was_missed) {
      fs::create_directory(scene.at("away/x"));
      scene.settle();
    }
    fs::create_directories(scene.at("away/new/deep"));
    fs::create_directories(scene.at("away/d/s/new/deep"));
    fs::rename(scene.at("away/gone"), scene.at("o/gone"));
    overflow(scene);
    scene.settle();
    fs::create_directory(scene.at("away/another"));  // is another reason to look at it
    scene.settle();
    fs::rename(scene.at("away"), scene.at("t"));
    fs::create_directory(scene.at("t/back"));
    scene.settle();
    for (const char* const path : {"t/new/deep", "t/d/s/new/deep", "t/another", "t/d", "t/back"}) {
      check_hears_of(scene, path);
    }
    CHECK(scene.tree().size() == (was_missed ? 10 : 9));
  }
}

TEST_CASE("what a repair could not look at is read again when it is within reach") {
  Scene scene;
  fs::create_directories(scene.at("t/a/b"));
  scene.watch();
  scene.settle();
  fs::create_directories(scene.at("t/a/b/new/deep"));
  scene.queue().refuse([&](const std::string& name) { return name == "a" ? -EACCES : 0; });
  overflow(scene);
  check_hears_of(scene, "t/a/b/new/deep");
}
