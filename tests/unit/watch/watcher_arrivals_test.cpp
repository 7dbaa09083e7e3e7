// SPDX-License-Identifier: GPL-2.0-or-later
// What a watcher says of directories that come into the tree from outside, and do not stay where they came.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include <algorithm>
#include <string>
#include <vector>

#include "watch/watcher_scene.hpp"

namespace {

using namespace watcher_scene;

std::size_t count(const std::vector<std::string>& lines, const std::string& line) {
  return static_cast<std::size_t>(std::count(lines.begin(), lines.end(), line));
}

void exchange(const fs::path& a, const fs::path& b) {
  REQUIRE(::renameat2(AT_FDCWD, a.c_str(), AT_FDCWD, b.c_str(), RENAME_EXCHANGE) == 0);
}

// Outside is o/x, in it are s and the files old and s/old; t/u is watched, and has the same.
void furnish(Scene& scene) {
  for (const std::string top : {"o/x", "t/u"}) {
    fs::create_directories(scene.at(top + "/s"));
    scene.touch(top + "/old");
    scene.touch(top + "/s/old");
  }
  fs::create_directories(scene.at("t/e"));
  scene.let_age("o/x");
  scene.watch();
  scene.settle();
}

// Nothing of its contents was said; and they are watched.
void check_old(Scene& scene, const std::vector<std::string>& said, const std::string& place) {
  for (const char* const name : {"/s", "/old", "/s/old"}) CHECK(count(said, "CREATE " + place + name) == 0);
  CHECK(scene.place_of_file_in(place) == "CREATE " + place + "/probe");
  CHECK(scene.place_of_file_in(place + "/s") == "CREATE " + place + "/s/probe");
}

}  // namespace

TEST_CASE("what came from outside and moved on before it could be watched is no news") {
  Scene scene;
  furnish(scene);
  fs::rename(scene.at("o/x"), scene.at("t/x"));
  fs::rename(scene.at("t/x"), scene.at("t/y"));
  fs::rename(scene.at("t/y"), scene.at("t/e/x"));
  check_old(scene, scene.settle(), "t/e/x");
}

TEST_CASE("the same, where another one has its name by then, which is") {
  for (const bool renamed : {false, true}) {
    CAPTURE(renamed);
    Scene scene;
    furnish(scene);
    fs::rename(scene.at("o/x"), scene.at("t/x"));
    fs::rename(scene.at("t/x"), scene.at("t/e/x"));
    const std::string made = renamed ? "t/m" : "t/x";
    fs::create_directory(scene.at(made));
    scene.touch(made + "/new");
    if (renamed) fs::rename(scene.at(made), scene.at("t/x"));
    const std::vector<std::string> said = scene.settle();
    check_old(scene, said, "t/e/x");
    CHECK(count(said, "CREATE t/x/new") == 1);
    CHECK(scene.place_of_file_in("t/x") == "CREATE t/x/probe");
  }
}

TEST_CASE("what left the tree, came back and moved on is no news") {
  Scene scene;
  furnish(scene);
  fs::rename(scene.at("t/u"), scene.at("o/a"));
  fs::rename(scene.at("o/a"), scene.at("t/u"));
  fs::rename(scene.at("t/u"), scene.at("t/e/u"));
  check_old(scene, scene.settle(), "t/e/u");
}

TEST_CASE("what changed places with one outside, and then with one inside, is no news") {
  Scene scene;
  furnish(scene);
  exchange(scene.at("o/x"), scene.at("t/u"));
  exchange(scene.at("t/e"), scene.at("t/u"));
  check_old(scene, scene.settle(), "t/e");
}

TEST_CASE("what is made where one from outside was for a moment is news wherever it goes") {
  for (const bool deleted : {false, true}) {
    CAPTURE(deleted);
    Scene scene;
    scene.watch();
    scene.settle();
    fs::create_directory(scene.at("o/x"));
    fs::rename(scene.at("o/x"), scene.at("t/x"));
    if (deleted) {
      fs::remove(scene.at("t/x"));
    } else {
      fs::rename(scene.at("t/x"), scene.at("o/x"));
    }
    fs::create_directory(scene.at("t/x"));
    scene.touch("t/x/new");
    fs::rename(scene.at("t/x"), scene.at("t/y"));
    CHECK(count(scene.settle(), "CREATE t/y/new") == 1);
  }
}

TEST_CASE(
    "one from outside that changed places with one just made is said once, and its contents are no news") {
  Scene scene;
  furnish(scene);
  fs::create_directory(scene.at("t/d"));
  exchange(scene.at("o/x"), scene.at("t/d"));
  const std::vector<std::string> said = scene.settle();
  CHECK(count(said, "CREATE t/d") == 1);
  check_old(scene, said, "t/d");
}

TEST_CASE("what is made in a place where one from outside was for a moment is said, and all of it") {
  for (const bool taken : {false, true}) {
    CAPTURE(taken);
    Scene scene;
    furnish(scene);
    if (taken) fs::create_directory(scene.at("t/d"));  // which goes when o/x takes its place
    fs::rename(scene.at("o/x"), scene.at("t/d"));
    fs::rename(scene.at("t/d"), scene.at("t/e/d"));
    fs::create_directories(scene.at("t/d/s"));
    scene.touch("t/d/new");
    scene.touch("t/d/s/new");
    const std::vector<std::string> said = scene.settle();
    check_old(scene, said, "t/e/d");
    CHECK(count(said, "CREATE t/d") == (taken ? 2 : 1));
    for (const char* const name : {"t/d/s", "t/d/new", "t/d/s/new"})
      CHECK(count(said, std::string("CREATE ") + name) == 1);
    CHECK(scene.place_of_file_in("t/d/s") == "CREATE t/d/s/probe");
  }
}

TEST_CASE("what was just made and went into one from outside is news, and only that") {
  for (const bool made_before : {true, false}) {
    CAPTURE(made_before);
    Scene scene;
    fs::create_directories(scene.at("o/x/y/z/other"));
    scene.touch("o/x/y/old");
    scene.touch("o/x/y/z/other/old");
    scene.let_age("o/x/y/z/other");
    scene.watch();
    scene.settle();
    if (!made_before) fs::rename(scene.at("o/x"), scene.at("t/x"));
    fs::create_directories(scene.at("t/e/s"));
    scene.touch("t/e/new");
    scene.touch("t/e/s/new");
    if (made_before) fs::rename(scene.at("o/x"), scene.at("t/x"));
    fs::rename(scene.at("t/e"), scene.at("t/x/y/z/e"));
    const std::vector<std::string> said = scene.settle();
    for (const char* const name : {"", "/s", "/new", "/s/new"})
      CHECK(count(said, std::string("CREATE t/x/y/z/e") + name) == 1);
    for (const char* const name : {"", "/y", "/y/old", "/y/z", "/y/z/other", "/y/z/other/old"})
      CHECK(count(said, std::string("CREATE t/x") + name) == 0);
    CHECK(scene.place_of_file_in("t/x/y/z/e/s") == "CREATE t/x/y/z/e/s/probe");
  }
}

namespace {

timespec change_time(const fs::path& path) {
  struct stat status;
  REQUIRE(::lstat(path.c_str(), &status) == 0);
  return status.st_ctim;
}

bool is_later(const timespec& a, const timespec& b) {
  return a.tv_sec != b.tv_sec ? a.tv_sec > b.tv_sec : a.tv_nsec > b.tv_nsec;
}

}  // namespace

TEST_CASE("what one from outside held all along is not taken for one of that name that left the tree") {
  Scene scene;
  fs::create_directories(scene.at("o/w/y/e/s"));
  scene.touch("o/w/y/e/old");
  scene.let_age("o/w/y/e");
  scene.watch();
  scene.settle();
  do {  // until the clock has moved on
    fs::rename(scene.at("o/w"), scene.at("o/x"));
    fs::rename(scene.at("o/x"), scene.at("o/w"));
  } while (!is_later(change_time(scene.at("o/w")), change_time(scene.at("o/w/y/e"))));
  fs::create_directory(scene.at("t/e"));
  fs::rename(scene.at("o/w"), scene.at("t/x"));
  fs::rename(scene.at("t/e"), scene.at("o/e"));
  const std::vector<std::string> said = scene.settle();
  for (const char* const name : {"", "/s", "/old"})
    CHECK(count(said, std::string("CREATE t/x/y/e") + name) == 0);
}
