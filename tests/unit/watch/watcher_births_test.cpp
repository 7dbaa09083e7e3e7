// SPDX-License-Identifier: GPL-2.0-or-later
// What a watcher says of directories that were made in one that was just made, and left it before it could be
// watched: the queue tells where they came to, and nothing of where from.
#include <doctest/doctest.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <utility>
#include <vector>

#include "watch/watcher_scene.hpp"

namespace {

using namespace watcher_scene;

std::size_t count(const std::vector<std::string>& lines, const std::string& line) {
  return static_cast<std::size_t>(std::count(lines.begin(), lines.end(), line));
}

// t/e and t/k are watched.
void furnish(Scene& scene) {
  for (const char* const name : {"t/e", "t/k"}) fs::create_directory(scene.at(name));
  scene.watch();
  scene.settle();
}

// A directory with a file `new`, and another in `s`.
void make(Scene& scene, const std::string& path) {
  fs::create_directories(scene.at(path + "/s"));
  scene.touch(path + "/new");
  scene.touch(path + "/s/new");
}

// All that is in it was said once; and it is watched.
void check_new(Scene& scene, const std::vector<std::string>& said, const std::string& place) {
  CHECK(count(said, "other " + place) == 1);  // MOVED_TO
  CHECK(count(said, "CREATE " + place) == 0);
  for (const char* const name : {"/s", "/new", "/s/new"}) CHECK(count(said, "CREATE " + place + name) == 1);
  CHECK(scene.place_of_file_in(place) == "CREATE " + place + "/probe");
  CHECK(scene.place_of_file_in(place + "/s") == "CREATE " + place + "/s/probe");
}

}  // namespace

TEST_CASE("what left its birthplace before that could be watched is news") {
  Scene scene;
  furnish(scene);
  make(scene, "t/a/d");
  fs::rename(scene.at("t/a/d"), scene.at("t/k/d"));
  SUBCASE("the birthplace stays") {}
  SUBCASE("the birthplace is deleted") {
    fs::remove(scene.at("t/a"));
  }
  SUBCASE("the birthplace leaves the tree") {
    fs::rename(scene.at("t/a"), scene.at("o/a"));
  }
  SUBCASE("the birthplace is renamed") {
    fs::rename(scene.at("t/a"), scene.at("t/e/a"));
  }
  SUBCASE("another one comes in its place") {
    fs::rename(scene.at("t/a"), scene.at("t/e/a"));
    fs::create_directory(scene.at("t/a"));
  }
  SUBCASE("the birthplace is deleted, and that is read late") {
    fs::remove(scene.at("t/a"));
    scene.let_age("t/k/d/s");
    scene.touch("t/later");
  }
  SUBCASE("another one comes in its place, some time later") {
    fs::rename(scene.at("t/a"), scene.at("o/a"));
    scene.let_age("t/k/d/s", 0.02);
    fs::create_directory(scene.at("t/a"));
  }
  SUBCASE("another one that came in its place is deleted, and one is made again") {
    fs::remove(scene.at("t/a"));
    fs::create_directory(scene.at("t/a"));
    fs::remove(scene.at("t/a"));
    scene.let_age("t/k/d/s", 0.02);
    fs::create_directory(scene.at("t/a"));
  }
  SUBCASE("something is done in it where it came to") {
    scene.touch("t/k/d/later");
  }
  check_new(scene, scene.settle(), "t/k/d");
}

TEST_CASE("the same, from further down, and its birthplace next") {
  Scene scene;
  furnish(scene);
  make(scene, "t/a/b/d");
  fs::rename(scene.at("t/a/b/d"), scene.at("t/k/d"));
  scene.touch("t/a/b/new");
  fs::rename(scene.at("t/a/b"), scene.at("t/e/b"));
  const std::vector<std::string> said = scene.settle();
  CHECK(count(said, "CREATE t/e/b/new") == 1);
  check_new(scene, said, "t/k/d");
}

TEST_CASE("the same, where it moves on at once") {
  Scene scene;
  furnish(scene);
  make(scene, "t/a/d");
  fs::rename(scene.at("t/a/d"), scene.at("t/k/d"));
  fs::rename(scene.at("t/k/d"), scene.at("t/e/d"));
  check_new(scene, scene.settle(), "t/e/d");
}

TEST_CASE("the same, where it moves while the birthplace is about to be watched") {
  Scene scene;
  furnish(scene);
  make(scene, "t/a/d");
  bool moved = false;
  scene.queue().before_add([&](const std::string& name) {
    if (name == "a" && !std::exchange(moved, true)) fs::rename(scene.at("t/a/d"), scene.at("t/k/d"));
  });
  const std::vector<std::string> said = scene.settle();
  REQUIRE(moved);
  check_new(scene, said, "t/k/d");
}

TEST_CASE("the same, where it is the last of several that came to one place") {
  Scene scene;
  furnish(scene);
  fs::create_directory(scene.at("t/c"));  // which goes when the first takes its place
  make(scene, "t/a/first");
  make(scene, "t/a/d");
  fs::rename(scene.at("t/a/first"), scene.at("t/c"));
  fs::rename(scene.at("t/c"), scene.at("t/e/first"));
  fs::rename(scene.at("t/a/d"), scene.at("t/c"));
  const std::vector<std::string> said = scene.settle();
  for (const char* const name : {"/s", "/new", "/s/new"})
    CHECK(count(said, std::string("CREATE t/c") + name) == 1);
}

TEST_CASE("what comes from outside is no news, whatever is made meanwhile") {
  Scene scene;
  make(scene, "o/x");
  scene.let_age("o/x");
  furnish(scene);
  fs::create_directory(scene.at("t/a"));
  fs::rename(scene.at("o/x"), scene.at("t/k/x"));
  scene.touch("t/a/new");
  const std::vector<std::string> said = scene.settle();
  CHECK(count(said, "CREATE t/a/new") == 1);
  for (const char* const name : {"/s", "/new", "/s/new"})
    CHECK(count(said, std::string("CREATE t/k/x") + name) == 0);
  CHECK(scene.place_of_file_in("t/k/x/s") == "CREATE t/k/x/s/probe");
}

TEST_CASE("what was made after the birth of another one, and outside, is no news either") {
  Scene scene;
  furnish(scene);
  fs::create_directory(scene.at("t/a"));
  scene.settle();
  scene.touch("t/a/heard");
  scene.settle();
  scene.let_age("t/a");
  make(scene, "o/x");
  fs::rename(scene.at("o/x"), scene.at("t/k/x"));
  scene.touch("t/a/new");
  CHECK(count(scene.settle(), "CREATE t/k/x/new") == 0);
}

TEST_CASE("an operand is added though something hides") {
  class Stopper : public EventSink {
   public:
    bool on_event(const Event& event) override { return (event.mask & mask::move_self) == 0; }
  };
  Scene scene;
  fs::create_directories(scene.at("t/k/d"));
  scene.watch({}, mask::all_events);
  scene.settle();
  fs::create_directory(scene.at("t/a"));
  fs::rename(scene.at("t/k"), scene.at("o/k"));
  Stopper sink;
  const Result<Watcher::Wait> waited = scene.watcher().dispatch(sink);
  REQUIRE(waited);
  REQUIRE(*waited == Watcher::Wait::stopped);
  CHECK(scene.watcher().add(scene.at("o").string(), {}));
  CHECK(scene.place_of_file_in("o/k/d") != "");
}

TEST_CASE("a listing in which an old one shows to be another goes on where it was") {
  Scene scene;
  for (const char* const name : {"t/e", "t/k", "t/b", "o/p", "o/c"}) fs::create_directory(scene.at(name));
  scene.let_age("o/c");
  scene.watch();
  scene.settle();
  fs::create_directories(scene.at("t/e/y/s"));  // it cannot be found at first
  fs::rename(scene.at("o/p"), scene.at("t/e/x"));
  fs::rename(scene.at("t/e/x"), scene.at("o/p"));
  fs::rename(scene.at("t/b"), scene.at("t/e/x"));
  fs::rename(scene.at("t/e/x"), scene.at("t/k/b"));
  fs::rename(scene.at("o/c"), scene.at("t/e/x"));
  bool refused = false, dealt = false;
  scene.queue().refuse(
      [&](const std::string& name) { return name == "." && !std::exchange(refused, true) ? -ENOENT : 0; });
  scene.queue().deal(
      [&](Queue& queue) { return std::exchange(dealt, true) ? queue.size() : queue.size() - 1; });
  scene.queue().let_read_on(false);
  CHECK(count(scene.settle(), "CREATE t/e/y/s") == 1);
  REQUIRE(refused);
  scene.queue().let_read_on(true);
  for (const char* const name : {"t/e/x", "t/e/y", "t/e/y/s"})
    CHECK(scene.place_of_file_in(name) == std::string("CREATE ") + name + "/probe");
}

TEST_CASE("what comes out of a directory that could not be opened is news") {
  Scene scene;
  furnish(scene);
  scene.queue().refuse([](const std::string& name) { return name == "a" ? -EMFILE : 0; });
  fs::create_directory(scene.at("t/e/a"));
  scene.settle();
  scene.let_age("t/e/a");
  make(scene, "t/e/a/d");
  fs::rename(scene.at("t/e/a/d"), scene.at("t/k/d"));
  check_new(scene, scene.settle(), "t/k/d");
}

TEST_CASE("what was made while a new directory was not watched may have been made in it") {
  constexpr std::int64_t ms = 1'000'000;
  watch::Births births;
  CHECK(births.empty());
  CHECK_FALSE(births.may_hide(7, 100 * ms));
  births.add(7, 100 * ms, 150 * ms);
  births.add(8, 120 * ms, 130 * ms);
  CHECK_FALSE(births.empty());
  for (const std::int64_t time : {100, 125, 150}) CHECK(births.may_hide(9, time * ms));
  for (const std::int64_t time : {0, 99, 151}) CHECK_FALSE(births.may_hide(9, time * ms));
  CHECK_FALSE(births.may_hide(8, 120 * ms));  // it was added
  CHECK(births.may_hide(8, 121 * ms));        // another one, by the number of one that is gone
  births.miss(200 * ms, 250 * ms);
  CHECK(births.may_hide(9, 200 * ms));
  CHECK(births.may_hide(9, 250 * ms + watch::Births::in_no_time));
  CHECK_FALSE(births.may_hide(9, 251 * ms + watch::Births::in_no_time));
  births.drained(150 * ms + watch::Births::long_ago, true);
  CHECK(births.may_hide(9, 110 * ms));
  births.drained(151 * ms + watch::Births::long_ago, true);
  CHECK_FALSE(births.may_hide(9, 110 * ms));
  births.drained(1000 * ms + watch::Births::long_ago, true);
  CHECK(births.empty());
}

TEST_CASE("births of before the clock was set back are forgotten") {
  constexpr std::int64_t second = 1'000'000'000;
  watch::Births births;
  births.add(7, 5000 * second, 5001 * second);
  births.drained(1000 * second, true);
  births.drained(1000 * second, true);
  CHECK(births.empty());
}

TEST_CASE("what is taken for a birth, or was there before, makes the time no longer") {
  constexpr std::int64_t second = 1'000'000'000, ms = 1'000'000;
  watch::Births births;
  births.hear(100 * second, 100 * second + ms);
  births.add(1, 100 * second, 100 * second + 2 * ms);
  births.add(2, 100 * second + ms, 103 * second);
  births.add(3, 5 * second, 100 * second + 4 * ms);
  CHECK(births.may_hide(9, 100 * second + 3 * ms));
  CHECK_FALSE(births.may_hide(9, 102 * second));
  CHECK_FALSE(births.may_hide(9, 50 * second));
  CHECK_FALSE(births.may_hide(3, 5 * second));
}

TEST_CASE("something may hide also in what does not say when it was made") {
  watch::Births births;
  births.add();
  births.hide(3);
  CHECK(births.hidden(3));
  CHECK_FALSE(births.drained(1, true));
  CHECK(births.drained(1, true));
  CHECK(births.take_hidden() == std::unordered_set<int>{3});
  CHECK(births.empty());
}
