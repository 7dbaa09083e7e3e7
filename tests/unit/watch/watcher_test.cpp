// SPDX-License-Identifier: GPL-2.0-or-later
// What a watcher makes of directories that change places, and of events that come late.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <stdio.h>

#include <algorithm>
#include <string>
#include <system_error>
#include <vector>

#include "watch/watcher_scene.hpp"

namespace {

using namespace watcher_scene;

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

// Are all of these watched under these paths, and nothing twice or in vain?
void check_places(Scene& scene, const std::string& top, const std::vector<std::string>& below) {
  for (const std::string& name : below) {
    const std::string place = top + name;
    CHECK(scene.place_of_file_in(place) == "CREATE " + place + "/probe");
  }
  CHECK(scene.queue().watch_count() == scene.tree().size());
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

TEST_CASE("directories that are renamed while the tree is first walked are found where they are") {
  Scene scene;
  const std::vector<std::string> all = {"a", "b", "c"};
  for (const std::string& name : all) {
    fs::create_directories(scene.at("t/" + name + "/s/deep"));
    fs::create_directories(scene.at("t/" + name + "/s/deeper/still"));
  }
  bool renamed = false;
  scene.watch([&](const std::string& name) {  // one of the three has been entered, and the others not
    if (name != "s" || std::exchange(renamed, true)) return;
    for (const std::string& old : all) fs::rename(scene.at("t/" + old), scene.at("t/new-" + old));
  });
  REQUIRE(renamed);
  for (const std::string& name : all) {
    check_places(scene, "t/new-" + name, {"", "/s", "/s/deep", "/s/deeper", "/s/deeper/still"});
  }
  CHECK(scene.tree().size() == 16);
}

TEST_CASE("a directory that moves ahead of the first walk is watched where it went") {
  Scene scene;
  const std::vector<std::pair<std::string, std::string>> moves = {{"a", "b"}, {"b", "c"}, {"c", "a"}};
  for (const auto& [from, to] : moves) fs::create_directories(scene.at("t/" + from + "/m/deep/deeper"));
  bool moved = false;
  scene.watch(
      [&](const std::string& name) {  // one of the three is watched, and the other two are still ahead
        if (name != "deep" || std::exchange(moved, true)) return;
        for (const auto& [from, to] : moves)
          fs::rename(scene.at("t/" + from + "/m"), scene.at("t/" + to + "/n"));
      });
  REQUIRE(moved);
  for (const auto& [from, to] : moves) check_places(scene, "t/" + to + "/n", {"", "/deep", "/deep/deeper"});
  CHECK(scene.tree().size() == 13);
}

// A stranger stands at its path, is watched to see that it is one, and unwatched again: that makes an event.
TEST_CASE("a directory that cannot be found is not looked for without end") {
  Scene scene;
  fs::create_directories(scene.at("t/x"));
  scene.watch();
  fs::rename(scene.at("t/x"), scene.at("o/x"));
  fs::create_directories(scene.at("t/x"));
  scene.queue().deal([](Queue& queue) {  // nothing tells of it
    queue.clear();
    return 0U;
  });
  scene.settle();
  scene.queue().deal({});
  fs::create_directories(scene.at("o/x/below"));
  CHECK(scene.settle() == std::vector<std::string>{"CREATE t/x/below"});
}

// As another thread may bring about, which is in the directory while it is renamed.
TEST_CASE("what happens in a directory between the records of its rename is said of where it went") {
  for (const std::string to : {"t/b", "o/b"}) {
    CAPTURE(to);
    Scene scene;
    fs::create_directories(scene.at("t/a/s"));
    scene.watch();
    scene.settle();
    fs::rename(scene.at("t/a"), scene.at(to));
    scene.touch(to + "/s/f");
    fs::create_directory(scene.at(to + "/new"));
    scene.queue().deal([](Queue& queue) {  // MOVED_FROM comes first
      if (queue.size() > 1) {
        std::stable_partition(queue.begin() + 1, queue.end(), [](const Kept& kept) {
          return (kept.record.mask & (mask::moved_to | mask::move_self)) == 0;
        });
      }
      return queue.size();
    });
    std::vector<std::string> wanted{"other t/a"};
    if (to == "t/b") wanted.insert(wanted.end(), {"other t/b", "CREATE t/b/s/f", "CREATE t/b/new"});
    CHECK(scene.settle() == wanted);
    if (to == "t/b") check_places(scene, {"t/b", "t/b/s", "t/b/new"});
  }
}

TEST_CASE("what a watch is asked for is replaced to silence it, and for nothing else") {
  Scene scene;
  fs::create_directories(scene.at("t/a/b/c"));
  fs::create_directories(scene.at("t/leaf"));
  fs::create_directories(scene.at("o/x/y/z"));
  scene.watch({}, mask::all_events);
  fs::create_directories(scene.at("t/new/in/it"));
  scene.settle();
  fs::rename(scene.at("o/x"), scene.at("t/x"));
  scene.settle();
  fs::rename(scene.at("t/a"), scene.at("t/x/a"));
  fs::remove_all(scene.at("t/new"));
  fs::create_directories(scene.at("t/new/again"));
  scene.settle();
  CHECK(scene.queue().watch_count() == 10);
  CHECK(scene.queue().careless_calls() == 0);
}
