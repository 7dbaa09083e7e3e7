// SPDX-License-Identifier: GPL-2.0-or-later
// What a watcher says of directories that leave a watched place for one that has just arrived in the tree.
#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "watch/watcher_scene.hpp"

namespace {

using namespace watcher_scene;

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

// The tree is watched; t/new arrives from o, and `from` goes into it.
void bring_into_newcomer(Scene& scene, const std::string& from, const std::string& to) {
  fs::create_directories(scene.at("o/new"));
  scene.watch();
  fs::rename(scene.at("o/new"), scene.at("t/new"));
  fs::rename(scene.at(from), scene.at(to));
}

// t/x goes into t/new, which has just arrived from o; and t/new has another name, t/other, by the time t/x
// could be listed there. `meanwhile` is done after that; then everything is handed on, and what was said is
// returned.
std::vector<std::string> come_back_in_a_moving_one(Scene& scene, const std::function<void()>& meanwhile) {
  bring_into_newcomer(scene, "t/x", "t/new/d");
  int step = 0;
  scene.queue().deal([&](Queue& queue) {
    if (step++ == 0) return up_to(queue, mask::moved_to, "new");
    if (step > 2) return queue.size();
    fs::rename(scene.at("t/new"), scene.at("t/other"));
    meanwhile();
    return up_to(queue, mask::move_self, "");
  });
  return scene.settle();
}

// Said once, whichever of its names the directory had then.
bool said_once(const std::vector<std::string>& said, const std::vector<std::string>& names) {
  std::size_t times = 0;
  for (const std::string& name : names) times += count(said, "CREATE " + name);
  return times == 1;
}

}  // namespace

TEST_CASE("what came back into the tree is said once, and all of it") {
  Scene scene;
  fs::create_directories(scene.at("t/x/s"));
  scene.touch("t/x/f");
  const std::vector<std::string> said = come_back_in_a_moving_one(scene, [] {});
  CHECK(said_once(said, {"t/new/d", "t/other/d"}));
  CHECK(said_once(said, {"t/new/d/s", "t/other/d/s"}));
  CHECK(said_once(said, {"t/other/d/f"}));
}

TEST_CASE("what was said of a directory's old place is said again where it came back") {
  Scene scene;
  fs::create_directories(scene.at("o/late"));
  fs::create_directories(scene.at("t/x/s"));
  fs::create_directories(scene.at("t/y"));
  bring_into_newcomer(scene, "t/y", "t/new/e");
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
  fs::create_directories(scene.at("t/x/s/below"));
  fs::create_directories(scene.at("t/x/stays"));
  scene.touch("t/x/s/f");
  scene.touch("t/x/s/below/g");
  const std::vector<std::string> said =
      come_back_in_a_moving_one(scene, [&] { fs::rename(scene.at("t/other/d/s"), scene.at("t/went")); });
  CHECK(said_once(said, {"t/went/f"}));
  CHECK(said_once(said, {"t/went/below/g"}));
  CHECK(said_once(said, {"t/went/below", "t/new/d/s/below", "t/other/d/s/below"}));
}

TEST_CASE("what left the tree and came back is said where the queue says that it came") {
  Scene scene;
  fs::create_directories(scene.at("t/x"));
  scene.watch();
  scene.settle();
  fs::create_directory(scene.at("t/d"));
  fs::remove(scene.at("t/d"));
  fs::rename(scene.at("t/x"), scene.at("o/x"));
  fs::rename(scene.at("o/x"), scene.at("t/d"));  // and stands there when the CREATE is read
  int step = 0;
  scene.queue().deal([&](Queue& queue) {
    if (step++ == 0) return up_to(queue, mask::move_self, "");
    return step < 4 ? 0 : queue.size();
  });
  const std::vector<std::string> said = scene.settle();
  CHECK(count(said, "CREATE t/d") == 1);
  CHECK(scene.place_of_file_in("t/d") == "CREATE t/d/probe");
}

TEST_CASE("what moves on below one that came back is told of, too") {
  Scene scene;
  fs::create_directories(scene.at("t/x/s/below"));
  scene.touch("t/x/s/f");
  scene.touch("t/x/s/below/g");
  scene.watch();
  scene.settle();
  fs::create_directory(scene.at("t/n"));
  fs::rename(scene.at("t/x"), scene.at("t/n/d"));
  fs::rename(scene.at("t/n/d/s"), scene.at("t/n/d/went"));
  const std::vector<std::string> said = scene.settle();
  CHECK(said_once(said, {"t/n/d/s/f", "t/n/d/went/f"}));
  CHECK(said_once(said, {"t/n/d/s/below/g", "t/n/d/went/below/g"}));
}

namespace {

bool said_in_order(const std::vector<std::string>& said, const std::vector<std::string>& names) {
  std::vector<std::string> lines;
  for (const std::string& line : said) {
    if (std::ranges::find(names, line.substr(line.find(' ') + 1)) != names.end()) lines.push_back(line);
  }
  std::vector<std::string> wanted;
  for (const std::string& name : names) wanted.push_back("CREATE " + name);
  return lines == wanted;
}

}  // namespace

TEST_CASE(
    "an entry found in a newborn directory is said after those above it, though these came back later") {
  Scene scene;
  fs::create_directories(scene.at("t/x"));
  scene.watch();
  scene.settle();
  fs::create_directory(scene.at("t/x/k"));
  scene.touch("t/x/k/f");
  std::string last;
  scene.queue().before_add([&](const std::string& name) {  // k is open: it leaves before it is listed
    if (std::exchange(last, name) != "k" || !fs::exists(scene.at("t/x"))) return;
    fs::create_directory(scene.at("t/n"));
    fs::rename(scene.at("t/x"), scene.at("t/n/d"));
  });
  CHECK(said_in_order(scene.settle(), {"t/n/d", "t/n/d/k", "t/n/d/k/f"}));
}

TEST_CASE("a directory born in one that left before it could be found is said before its entries") {
  Scene scene;
  fs::create_directories(scene.at("t/x"));
  scene.watch();
  scene.settle();
  fs::create_directory(scene.at("t/x/k"));
  scene.touch("t/x/k/f");
  fs::create_directory(scene.at("t/n"));
  fs::rename(scene.at("t/x"), scene.at("t/n/d"));
  CHECK(said_in_order(scene.settle(), {"t/n/d", "t/n/d/k", "t/n/d/k/f"}));
}

TEST_CASE("what left a place is not taken for what came there later, even where that is all that was read") {
  for (const bool read_on : {true, false}) {
    CAPTURE(read_on);
    Scene scene;
    scene.watch();
    scene.settle();
    scene.queue().let_read_on(read_on);
    fs::create_directory(scene.at("t/a"));
    fs::rename(scene.at("t/a"), scene.at("t/b"));
    fs::create_directory(scene.at("t/a"));
    scene.touch("t/a/f");
    int step = 0;
    scene.queue().deal(
        [&](Queue& queue) { return step++ == 0 ? up_to(queue, mask::moved_from, "a") : queue.size(); });
    CHECK(count(scene.settle(), "CREATE t/a/f") == 1);
    CHECK(scene.place_of_file_in("t/a") == "CREATE t/a/probe");
    CHECK(scene.place_of_file_in("t/b") == "CREATE t/b/probe");
  }
}

TEST_CASE("what left the tree and was back at once is heard of all the time") {
  Scene scene;
  fs::create_directories(scene.at("t/d/x/y"));
  scene.watch();
  scene.settle();
  fs::rename(scene.at("t/d"), scene.at("o/d"));
  fs::rename(scene.at("o/d"), scene.at("t/b"));
  scene.touch("t/b/x/f");
  fs::rename(scene.at("t/b/x"), scene.at("t/x"));
  const std::vector<std::string> said = scene.settle();
  CHECK(count(said, "CREATE t/b/x/f") == 1);
  CHECK(scene.place_of_file_in("t/b") == "CREATE t/b/probe");
  CHECK(scene.place_of_file_in("t/x/y") == "CREATE t/x/y/probe");
}

TEST_CASE("what happens to the files of a directory that is out of the tree is not told") {
  Scene scene;
  fs::create_directories(scene.at("t/d/x"));
  scene.watch();
  scene.settle();
  fs::rename(scene.at("t/d"), scene.at("o/d"));
  scene.touch("o/d/x/outside");
  fs::rename(scene.at("o/d"), scene.at("t/b"));
  scene.touch("t/b/x/inside");
  const std::vector<std::string> said = scene.settle();
  CHECK(count(said, "CREATE t/d/x/outside") + count(said, "CREATE t/b/x/outside") == 0);
  CHECK(count(said, "CREATE t/b/x/inside") == 1);
  CHECK(scene.place_of_file_in("t/b/x") == "CREATE t/b/x/probe");
}

TEST_CASE("what something happened in while it was out of the tree is watched anew") {
  Scene scene;
  fs::create_directories(scene.at("t/d/x"));
  scene.watch();
  scene.settle();
  fs::rename(scene.at("t/d"), scene.at("o/d"));
  fs::create_directory(scene.at("o/d/new"));
  fs::rename(scene.at("o/d"), scene.at("t/d"));
  const std::vector<std::string> said = scene.settle();
  CHECK(count(said, "CREATE t/d/new") == 0);
  CHECK(scene.place_of_file_in("t/d/x") == "CREATE t/d/x/probe");
  CHECK(scene.place_of_file_in("t/d/new") == "CREATE t/d/new/probe");
}

TEST_CASE("nothing is said of what stands in a directory whose way there is still to be read") {
  Scene scene;
  fs::create_directories(scene.at("t/p/x"));
  scene.watch();
  scene.settle();
  fs::create_directory(scene.at("t/p/n"));
  fs::rename(scene.at("t/p"), scene.at("t/q"));
  int step = 0;
  scene.queue().deal([&](Queue& queue) {
    if (step++ == 0) return up_to(queue, mask::create, "n");  // cannot be found, so t/q is going to be listed
    if (step == 2) {
      fs::create_directory(scene.at("t/q/n/y"));
      fs::rename(scene.at("t/q/x"), scene.at("t/q/n/x"));
      fs::create_directory(scene.at("t/q/n/z"));  // one of these two is listed after x
      scene.touch("t/q/n/x/f");
      fs::rename(scene.at("t/q/n"), scene.at("t/q/c"));
    }
    return queue.size();
  });
  std::string last;
  scene.queue().before_add([&](const std::string& name) {
    if (std::exchange(last, name) != "x" || !fs::exists(scene.at("t/q/c/x"))) return;
    fs::rename(scene.at("t/q/c/x"), scene.at("o/x"));
  });
  const std::vector<std::string> said = scene.settle();
  const auto first =
      std::ranges::find_if(said, [](const std::string& line) { return line.ends_with("t/q/c"); });
  const auto below = std::ranges::find_if(
      said, [](const std::string& line) { return line.find("t/q/c/") != std::string::npos; });
  CHECK(first < below);
  CHECK(below != said.end());
}

TEST_CASE("what was moved into a directory that could not be found then is not said to be made") {
  enum Way { parent_renamed, operand_away };
  for (const Way way : {parent_renamed, operand_away}) {
    CAPTURE(way);
    Scene scene;
    fs::create_directories(scene.at("t/p"));
    fs::create_directories(scene.at("o/b/s/deep"));
    scene.touch("o/b/old");
    scene.touch("o/b/s/old");
    scene.let_age("o/b/s");
    scene.watch();
    scene.settle();
    const std::string parent = way == operand_away ? "away/p" : "t/q";
    if (way == operand_away) fs::rename(scene.at("t"), scene.at("away"));
    fs::rename(scene.at("o/b"), scene.at(way == operand_away ? "away/p/b" : "t/p/b"));
    if (way == parent_renamed) fs::rename(scene.at("t/p"), scene.at("t/q"));
    fs::create_directories(scene.at(parent + "/made/inside"));
    std::vector<std::string> said = scene.settle();
    if (way == operand_away) {
      fs::rename(scene.at("away"), scene.at("t"));
      fs::create_directory(scene.at("t/back"));
      const std::vector<std::string> later = scene.settle();
      said.insert(said.end(), later.begin(), later.end());
    }
    const std::string now = way == operand_away ? "t/p" : "t/q";
    for (const char* const name : {"/b/s", "/b/old", "/b/s/old", "/b/s/deep"}) {
      CHECK(count(said, "CREATE " + now + name) == 0);
    }
    CHECK(count(said, "CREATE " + now + "/made/inside") == 1);
    for (const char* const path : {"/b", "/b/s", "/b/s/deep", "/made/inside"}) {
      CHECK(scene.place_of_file_in(now + path) == "CREATE " + now + path + "/probe");
    }
  }
}
