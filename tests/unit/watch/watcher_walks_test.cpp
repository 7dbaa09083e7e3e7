// SPDX-License-Identifier: GPL-2.0-or-later
// Directories that change while they are walked: none of them is passed over.
#include <doctest/doctest.h>

#include <string>
#include <utility>

#include "watch/watcher_scene.hpp"

namespace {

using namespace watcher_scene;

constexpr EventMask events = mask::create | mask::remove | mask::move;

void check_hears_of(Scene& scene, const std::string& path) {
  CHECK(scene.place_of_file_in(path) == "CREATE " + path + "/probe");
}

void check_hears_of_all_below(Scene& scene, const std::string& top) {
  for (const auto& entry : fs::recursive_directory_iterator(scene.at(top))) {
    if (!entry.is_directory()) continue;
    const std::string path = fs::relative(entry.path(), scene.at("")).string();
    CAPTURE(path);
    check_hears_of(scene, path);
  }
}

// More levels than are held open, each with something before and behind the next one.
void grow_deep(Scene& scene, const std::string& top) {
  constexpr int levels = 40;
  std::string at = top;
  for (int i = 0; i < levels; ++i) {
    fs::create_directories(scene.at(at + "/s1/t/u"));
    fs::create_directories(scene.at(at + "/d"));
    fs::create_directories(scene.at(at + "/s2/t/u"));
    at += "/d";
  }
  fs::create_directory(scene.at(at + "/bottom"));
}

// When the walk has come to its end, what it has closed is neither above nor where it was.
auto scatter_at_bottom(Scene& scene, const std::string& top) {
  return [&scene, top, done = false](const std::string& name) mutable {
    if (name != "bottom" || std::exchange(done, true)) return;
    fs::rename(scene.at(top + "/d/d/d/d/d/d"), scene.at("t/z"));
    fs::rename(scene.at(top + "/d"), scene.at("t/e"));
  };
}

}  // namespace

TEST_CASE("a large directory that changes while it is listed is read to its end") {
  Scene scene;
  constexpr int directories = 10;
  constexpr int files = 600;  // several times what one call brings
  for (int i = 0; i < directories; ++i)
    fs::create_directories(scene.at("t/big/old" + std::to_string(i) + "/s"));
  for (int i = 0; i < files; ++i) scene.touch("t/big/" + std::to_string(i) + std::string(200, 'x'));
  bool done = false;
  scene.watch({}, events, [&](int directory) {  // its link count has been looked at
    const fs::path entered = fs::read_symlink("/proc/self/fd/" + std::to_string(directory));
    if (entered != scene.at("t/big") || std::exchange(done, true)) return;
    for (int i = 0; i < directories; ++i) fs::create_directory(scene.at("t/big/new" + std::to_string(i)));
  });
  scene.settle();
  CHECK(done);
  for (int i = 0; i < directories; ++i) check_hears_of(scene, "t/big/old" + std::to_string(i) + "/s");
}

TEST_CASE("what cannot be found again halfway through a first walk is listed when it is found") {
  Scene scene;
  grow_deep(scene, "t");
  scene.watch(scatter_at_bottom(scene, "t"));
  scene.settle();
  check_hears_of_all_below(scene, "t");
}

TEST_CASE("so it is halfway through a walk of what was moved in or made") {
  for (const bool made : {false, true}) {
    CAPTURE(made);
    Scene scene;
    if (!made) grow_deep(scene, "o/x");
    scene.watch();
    scene.settle();
    if (made) grow_deep(scene, "t/x");
    if (!made) fs::rename(scene.at("o/x"), scene.at("t/x"));
    scene.queue().before_add(scatter_at_bottom(scene, "t/x"));
    scene.settle();
    check_hears_of_all_below(scene, "t");
  }
}
