// SPDX-License-Identifier: GPL-2.0-or-later
#include "inotifysync/changes/intake.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <map>
#include <string>

#include "inotifysync/config/patterns.hpp"

using namespace inotifysync;
using namespace std::chrono_literals;
namespace mask = notify_core::mask;

namespace {

// Knows the files it was told of, and other names of them.
class Files : public FileSystemView {
 public:
  std::map<std::string, FileInfo> known;
  std::map<std::string, std::vector<std::string>> others;

  FileInfo lstat(const std::string& path) override {
    const auto found = known.find(path);
    return found == known.end() ? FileInfo{} : found->second;
  }
  bool list(const std::string&, const std::function<void(std::string_view)>&) override { return true; }
  std::vector<std::string> other_names(const std::string& path) override { return others[path]; }
  void renamed(const std::string& from, const std::string& to) override {
    if (auto names = others.extract(from)) {
      names.key() = to;
      others.erase(to);
      others.insert(std::move(names));
    }
  }

  void file(const std::string& path, std::uint64_t links = 1) {
    known[path].type = FileInfo::Type::file;
    known[path].links = links;
  }
};

struct Fixture {
  Files files;
  PatternList patterns;
  Intake intake{files, patterns, {2s, 10s}};
  Intake::Time now{};

  void event(notify_core::EventMask bits, std::string_view path, std::uint32_t cookie = 0) {
    notify_core::Event event;
    event.mask = bits;
    event.cookie = cookie;
    intake.event(event, path, now);
  }
  void pass(std::chrono::milliseconds time) {
    now += time;
    intake.tick(now);
  }
  // What is marked by now, "path:dirt".
  std::string told() {
    std::string out;
    intake.take().for_each([&](std::string_view path, Dirt dirt, std::string_view from) {
      out += fmt::format("{}{}:", out.empty() ? "" : " ", path);
      for (const auto& [bit, letter] : std::map<Dirt, char>{{dirt::content, 'c'},
                                                            {dirt::attributes, 'a'},
                                                            {dirt::created, '+'},
                                                            {dirt::gone, '-'},
                                                            {dirt::subtree, '*'},
                                                            {dirt::unseen, '?'}}) {
        if (dirt & bit) out += letter;
      }
      if (!from.empty()) out += fmt::format("<{}", from);
    });
    return out;
  }
};

}  // namespace

TEST_CASE("other names are known after a rename, and of what a rename replaced") {
  Fixture f;
  for (const char* name : {"a", "b", "other a", "other b"}) f.files.file(name, 2);
  f.files.others["a"] = {"other a"};
  f.files.others["b"] = {"other b"};
  f.event(mask::modify, "b");
  f.event(mask::moved_from, "a", 7);
  f.event(mask::moved_to, "b", 7);
  CHECK(f.told() == "other b:c a:- b:+<a");
  f.event(mask::modify, "b");
  f.event(mask::close_write, "b");
  CHECK(f.told() == "b:c other a:c");
}

TEST_CASE("what is done to a file by an excluded name shows under its others") {
  Fixture f;
  f.patterns.exclude("*.tmp");
  f.files.file("a.tmp", 2);
  f.files.file("a", 2);
  f.files.others["a.tmp"] = {"a", "b.tmp"};
  f.event(mask::modify, "a.tmp");
  CHECK(f.told() == "");  // it is being written
  f.event(mask::close_write, "a.tmp");
  CHECK(f.told() == "a:c");
  f.event(mask::attrib, "a.tmp");
  CHECK(f.told() == "a:a");
  f.event(mask::remove, "a.tmp");
  CHECK(f.told() == "");
}

TEST_CASE("a file goes when it is closed, not before") {
  Fixture f;
  f.files.file("a");
  f.event(mask::create, "a");
  f.event(mask::modify, "a");
  CHECK(f.told() == "");
  CHECK(f.intake.kept_back() == 1);
  f.event(mask::close_write, "a");
  CHECK(f.told() == "a:c+");
  f.event(mask::modify, "a");
  f.event(mask::close_write, "a");
  CHECK(f.told() == "a:c");
}

TEST_CASE("a file that stays open goes when it is left alone, or overdue") {
  Fixture f;
  f.event(mask::modify, "log");
  f.pass(1900ms);
  CHECK(f.told() == "");
  f.pass(100ms);
  CHECK(f.told() == "log:c");
  f.event(mask::modify, "log");
  for (int i = 0; i < 9; ++i) {
    f.pass(1s);
    f.event(mask::modify, "log");
  }
  CHECK(f.told() == "");
  f.pass(1s);
  CHECK(f.told() == "log:c");
}

TEST_CASE("what is written through a name that goes before it is closed shows under the others") {
  Fixture f;
  f.files.others["a"] = {"b", "c"};
  for (const bool deleted : {true, false}) {
    f.event(mask::modify, "a");
    CHECK(f.told() == "");
    f.event(deleted ? mask::remove : mask::moved_from, "a", 1);
    f.pass(60ms);
    CHECK(f.told() == (deleted ? "b:c c:c a:-" : "b:c c:c a:-?"));
  }
  f.event(mask::remove, "a");  // nothing was written
  CHECK(f.told() == "a:-");
}

TEST_CASE("what no writer will close goes at once") {
  Fixture f;
  f.files.file("link", 2);
  f.event(mask::create, "link");
  CHECK(f.told() == "link:c+");
  f.event(mask::create | mask::is_directory, "d");
  CHECK(f.told() == "d:+");
  f.event(mask::attrib, "x");
  CHECK(f.told() == "x:a");
  f.event(mask::close_write, "y");  // opened for writing, not written to
  CHECK(f.told() == "y:a");
}

TEST_CASE("both halves of a rename are one, in one read or two") {
  Fixture f;
  f.event(mask::moved_from, "a", 7);
  f.event(mask::moved_to, "b", 7);
  CHECK(f.told() == "a:- b:+<a");
  f.event(mask::moved_from | mask::is_directory, "c", 8);
  f.pass(10ms);
  f.event(mask::moved_to | mask::is_directory, "d", 8);
  CHECK(f.told() == "c:- d:+<c");
}

TEST_CASE("half a rename is a name that went out of sight, or one that came from there") {
  Fixture f;
  f.event(mask::moved_from | mask::is_directory, "a", 7);
  CHECK(f.told() == "");
  REQUIRE(f.intake.next_due());
  f.pass(50ms);
  CHECK(f.told() == "a:-?");
  f.event(mask::moved_to | mask::is_directory, "b", 9);
  CHECK(f.told() == "b:c+*");
  f.event(mask::moved_from, "c", 10);
  f.event(mask::moved_to, "d", 11);
  CHECK(f.told() == "c:-? d:c+");
}

TEST_CASE("a file made, written and renamed before it was closed asks for nothing under its old name") {
  Fixture f;
  f.files.file("x.tmp");
  f.event(mask::create, "x.tmp");
  f.event(mask::modify, "x.tmp");
  f.event(mask::moved_from, "x.tmp", 7);
  f.event(mask::moved_to, "x", 7);
  CHECK(f.told() == "x.tmp:- x:c+");
  CHECK(f.intake.kept_back() == 0);
}

TEST_CASE("a file made and closed, then renamed, is no deletion, but what a full pass saw of it goes") {
  Fixture f;
  f.files.file("x.tmp");
  f.event(mask::create, "x.tmp");
  f.event(mask::close_write, "x.tmp");
  f.event(mask::moved_from, "x.tmp", 7);
  f.event(mask::moved_to, "x", 7);
  const ChangeSet set = f.intake.take();
  CHECK(set.dirt_of("x.tmp") == dirt::gone);
  CHECK(set.root().deletions() == 0);
  CHECK(set.dirt_of("x") == (dirt::created | dirt::content));
}

TEST_CASE("a file that is made and deleted before it was closed is no deletion") {
  Fixture f;
  f.files.file("t");
  f.event(mask::create, "t");
  f.event(mask::modify, "t");
  f.event(mask::remove, "t");
  const ChangeSet set = f.intake.take();
  CHECK(set.dirt_of("t") == dirt::gone);
  CHECK(set.root().deletions() == 0);
}

TEST_CASE("files being written keep their place when their directory is renamed") {
  Fixture f;
  f.event(mask::modify, "d/f");
  f.event(mask::moved_from | mask::is_directory, "d", 7);
  f.event(mask::moved_to | mask::is_directory, "e", 7);
  CHECK(f.told() == "d:- e:+<d");
  f.event(mask::close_write, "e/f");
  CHECK(f.told() == "e/f:c");
}

TEST_CASE("excluded paths are not heard of, and what moves there is gone") {
  Fixture f;
  f.patterns.exclude("*.tmp");
  f.patterns.exclude("cache/");
  f.event(mask::modify, "a.tmp");
  f.event(mask::close_write, "a.tmp");
  f.event(mask::attrib, "cache/x");
  CHECK(f.told() == "");
  f.event(mask::moved_from, "a", 7);
  f.event(mask::moved_to, "a.tmp", 7);
  CHECK(f.told().substr(0, 3) == "a:-");
  f.event(mask::moved_from, "b.tmp", 8);
  f.event(mask::moved_to, "b", 8);
  CHECK(f.told() == "b:c+");
}

TEST_CASE("a write shows in all names of the file") {
  Fixture f;
  f.patterns.exclude("*.tmp");
  f.files.others["a"] = {"d/b", "c.tmp"};
  f.event(mask::attrib, "a");
  f.event(mask::remove, "a");
  CHECK(f.told() == "a:- d/b:a");
}

TEST_CASE("hints that say nothing new mark nothing") {
  constexpr std::uint64_t later = 1'000'000'000;
  Fixture f;
  f.files.file("a");
  f.intake.hint("a", later);
  CHECK(f.told() == "a:c+");
  f.intake.hint("a", later);
  CHECK(f.told() == "");
  f.files.known["a"].changed = 5;
  f.intake.hint("a", later);
  CHECK(f.told() == "a:c+");
  f.intake.hint("gone", later);
  CHECK(f.told() == "gone:-");
}

TEST_CASE("a hint at what changed a moment ago may be about more than is seen") {
  Fixture f;
  f.files.file("a");
  f.files.known["a"].changed = 1'000'000'000;
  for (int i = 0; i < 3; ++i) {
    f.intake.hint("a", 1'000'000'000 + 10'000'000);
    CHECK(f.told() == "a:c+");
  }
  f.intake.hint("a", 1'000'000'000 + 100'000'000);
  CHECK(f.told() == "");
  f.intake.hint("a", 999'000'000);  // the clock was set back
  CHECK(f.told() == "");
}

TEST_CASE("nothing is kept back at the end") {
  Fixture f;
  f.event(mask::modify, "a");
  f.event(mask::moved_from, "b", 7);
  f.intake.release_all();
  CHECK(f.told() == "b:-? a:c");
}

TEST_CASE("a new file that is renamed at once goes under its new name only") {
  Fixture f;
  f.files.file("dir/new");
  for (const bool told_between : {false, true}) {
    f.event(mask::create, "dir/tmp");
    f.event(mask::modify, "dir/tmp");
    f.event(mask::close_write, "dir/tmp");
    f.event(mask::attrib, "dir/tmp");
    if (told_between) CHECK(f.told() == "dir/tmp:c+");
    f.event(mask::moved_from, "dir/tmp", 7);
    f.event(mask::moved_to, "dir/new", 7);
    CHECK(f.told() == (told_between ? "dir/tmp:- dir/new:+<dir/tmp" : "dir/tmp:- dir/new:c+"));
  }
}

TEST_CASE("a new file below a directory that is renamed goes under its new name") {
  Fixture f;
  f.files.file("dir/a");
  f.event(mask::create, "dir/a");
  f.event(mask::close_write, "dir/a");
  f.event(mask::moved_from | mask::is_directory, "dir", 8);
  f.event(mask::moved_to | mask::is_directory, "to", 8);
  CHECK(f.told().find("to/a:c+") != std::string::npos);
}

TEST_CASE("a new file that is gone at once was nowhere") {
  Fixture f;
  f.event(mask::create, "a");
  f.event(mask::close_write, "a");
  f.event(mask::remove, "a");
  CHECK(f.told().find('c') == std::string::npos);
}
