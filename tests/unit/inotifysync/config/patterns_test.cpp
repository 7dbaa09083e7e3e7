// SPDX-License-Identifier: GPL-2.0-or-later
#include "inotifysync/config/patterns.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <random>
#include <set>
#include <string>

#include "inotifysync/rsync/rsync_command.hpp"
#include "inotifysync/rsync/rsync_outcome.hpp"
#include "room.hpp"

using namespace inotifysync;
namespace fs = std::filesystem;

namespace {

PatternList excluding(std::initializer_list<const char*> patterns) {
  PatternList list;
  for (const char* pattern : patterns) list.exclude(pattern);
  return list;
}

// What rsync lists of `top` under these options, paths relative to it.
std::set<std::string> listed_by_rsync(const fs::path& top, const std::vector<std::string>& options) {
  std::vector<std::string> command{"rsync", "-rln", "--out-format=%n"};
  command.insert(command.end(), options.begin(), options.end());
  command.push_back(top.string() + "/source/");
  command.push_back(top.string() + "/nothing/");
  std::set<std::string> out;
  FILE* pipe = popen(("LC_ALL=C " + shell_quoted(command) + " 2>&1").c_str(), "r");
  REQUIRE(pipe != nullptr);
  char line[4096];
  while (fgets(line, sizeof line, pipe) != nullptr) {
    std::string name = line;
    name.pop_back();
    if (!name.empty() && name.back() == '/') name.pop_back();
    if (name != ".") out.insert(unescape_name(name));
  }
  pclose(pipe);
  return out;
}

void walk(const fs::path& top, const std::string& below, const PatternList& patterns,
          std::set<std::string>& out) {
  for (const auto& entry : fs::directory_iterator(top / below)) {
    const std::string name = entry.path().filename().string();
    const std::string path = below.empty() ? name : below + "/" + name;
    const bool directory = entry.is_directory() && !entry.is_symlink();
    CHECK(patterns.hides(path, directory) ==
          patterns.excludes(path, directory));  // nothing above is excluded here
    if (patterns.excludes(path, directory)) continue;
    out.insert(path);
    if (directory) walk(top, path, patterns, out);
  }
}

// The slow and plain way, to hold the quick one against.
bool plain_match(std::string_view pattern, std::string_view text) {
  if (pattern.empty()) return text.empty();
  if (pattern.front() == '*') {
    const bool deep = pattern.substr(0, 2) == "**";
    std::string_view rest = pattern;
    while (!rest.empty() && rest.front() == '*') rest.remove_prefix(1);
    for (std::size_t i = 0;; ++i) {
      if (plain_match(rest, text.substr(i))) return true;
      if (i == text.size() || (!deep && text[i] == '/')) return false;
    }
  }
  if (text.empty()) return false;
  const bool hit = pattern.front() == '?' ? text.front() != '/' : pattern.front() == text.front();
  return hit && plain_match(pattern.substr(1), text.substr(1));
}

}  // namespace

TEST_CASE("wildcards") {
  CHECK(wildcard_match("*", ""));
  CHECK(wildcard_match("a*c", "abbc"));
  CHECK_FALSE(wildcard_match("a*c", "ab/c"));
  CHECK(wildcard_match("a**c", "ab/c"));
  CHECK_FALSE(wildcard_match("a?c", "a/c"));
  CHECK(wildcard_match("[a-c]x[!0-9]", "bxz"));
  CHECK_FALSE(wildcard_match("[a-c]x[^0-9]", "bx5"));
  CHECK(wildcard_match("[[:digit:]_]", "7"));
  CHECK(wildcard_match("[[:digit:]_]", "_"));
  CHECK(wildcard_match("[]]", "]"));
  CHECK_FALSE(wildcard_match("[", "["));
  CHECK_FALSE(wildcard_match("[!a]", "/"));
  CHECK(wildcard_match("\\*", "*"));
  CHECK_FALSE(wildcard_match("\\*", "x"));
}

TEST_CASE("the quick matcher agrees with the plain one") {
  std::mt19937 random(7);
  const auto text = [&](const char* letters, std::size_t kinds, std::size_t most) {
    std::string out;
    for (auto n = random() % (most + 1); n > 0; --n) out += letters[random() % kinds];
    return out;
  };
  for (int i = 0; i < 20'000; ++i) {
    const std::string pattern = text("ab/*?*", 6, 8), subject = text("ab/", 3, 9);
    CAPTURE(pattern);
    CAPTURE(subject);
    CHECK(wildcard_match(pattern, subject) == plain_match(pattern, subject));
  }
}

TEST_CASE("many stars take no long time") {
  std::string pattern, subject(3000, 'a');
  for (int i = 0; i < 30; ++i) pattern += "a*a**";
  CHECK_FALSE(wildcard_match(pattern + "b", subject));
}

TEST_CASE("patterns in the words of rsync's manual") {
  CHECK(excluding({"*.o"}).excludes("a/b.o", false));
  CHECK(excluding({"/foo"}).excludes("foo", false));
  CHECK_FALSE(excluding({"/foo"}).excludes("a/foo", false));
  CHECK(excluding({"foo/"}).excludes("a/foo", true));
  CHECK_FALSE(excluding({"foo/"}).excludes("a/foo", false));
  CHECK(excluding({"/foo/*/bar"}).excludes("foo/x/bar", false));
  CHECK_FALSE(excluding({"/foo/*/bar"}).excludes("foo/x/y/bar", false));
  CHECK(excluding({"/foo/**/bar"}).excludes("foo/x/y/bar", false));
  CHECK(excluding({"foo/bar"}).excludes("x/foo/bar", false));
  CHECK_FALSE(excluding({"foo/bar"}).excludes("xfoo/bar", false));
  CHECK(excluding({"dir/***"}).excludes("dir", true));
  CHECK(excluding({"dir/***"}).excludes("dir/x/y", false));
  CHECK_FALSE(excluding({"dir/**"}).excludes("dir", true));
  CHECK(excluding({"/cache"}).hides("cache/a/b", false));
  CHECK_FALSE(excluding({"/cache"}).hides("a/cache", false));
}

TEST_CASE("the first that matches decides") {
  PatternList list;
  list.include("keep.tmp");
  list.exclude("*.tmp");
  CHECK_FALSE(list.excludes("a/keep.tmp", false));
  CHECK(list.excludes("a/b.tmp", false));
  CHECK(list.rsync_options() == std::vector<std::string>{"--include=keep.tmp", "--exclude=*.tmp"});
}

TEST_CASE("files of patterns") {
  PatternList list;
  list.add_lines("# comment\n; another\n\n+ keep.tmp\n*.tmp\r\n- /x", false);
  CHECK_FALSE(list.excludes("keep.tmp", false));
  CHECK(list.excludes("b.tmp", false));
  CHECK(list.excludes("x", false));
  list.add_lines("!\n", false);
  CHECK(list.empty());
}

TEST_CASE("patterns as seen from a directory of the source") {
  const auto seen = [](const char* pattern, const char* base) {
    const auto below = excluding({pattern}).below(base);
    if (!below) return std::string("unknown");
    std::string out;
    for (const std::string& option : below->rsync_options())
      (out += out.empty() ? "" : " ") += option.substr(10);
    return out;
  };
  CHECK(seen("*.o", "a/b") == "*.o");
  CHECK(seen("dir/", "a/b") == "dir/");
  CHECK(seen("/cache", "a") == "");
  CHECK(seen("/a/cache", "a") == "/cache");
  CHECK(seen("/a/*/cache/", "a/b") == "/cache/");
  CHECK(seen("/a", "a/b") == "");
  CHECK(seen("/a/cache/***", "a") == "/cache/***");
  CHECK(seen("/other/**/x", "a") == "");
  CHECK(seen("/a/**/x", "a/b") == "unknown");
  CHECK(seen("foo/bar", "a/foo") == "/bar foo/bar");
  CHECK(seen("foo/bar", "a") == "foo/bar");
  CHECK(seen("a/**", "b") == "unknown");
}

TEST_CASE("a pattern seen from below decides the same") {
  static constexpr const char* pieces[] = {"a", "b", "*", "?", "/", "/", "a*", "**", "***"};
  std::mt19937 random(11);
  int compared = 0;
  for (int round = 0; round < 20'000; ++round) {
    PatternList patterns;
    std::string shown, base, path;
    for (auto n = 1 + random() % 2; n > 0; --n) {
      std::string pattern;
      for (auto k = 1 + random() % 6; k > 0; --k) pattern += pieces[random() % std::size(pieces)];
      if (pattern.find_first_not_of('/') == std::string::npos || pattern.find("//") != std::string::npos)
        continue;
      random() % 3 ? patterns.exclude(pattern) : patterns.include(pattern);
      (shown += pattern) += ' ';
    }
    const auto grow = [&](std::string& text) {
      for (auto k = 1 + random() % 2; k > 0; --k) {
        text += text.empty() ? "" : "/";
        for (auto n = 1 + random() % 2; n > 0; --n) text += random() % 2 ? 'a' : 'b';
      }
    };
    grow(base);
    grow(path);
    const bool directory = random() % 2;
    const auto below = patterns.below(base);
    if (!below || patterns.hides(base, true)) continue;
    ++compared;
    CAPTURE(shown);
    CAPTURE(base);
    CAPTURE(path);
    CHECK(below->hides(path, directory) ==
          patterns.hides(std::string(base).append("/").append(path), directory));
  }
  CHECK(compared > 1000);
}

TEST_CASE("the same paths pass as with the real rsync" *
          doctest::skip(std::system("rsync --version >/dev/null 2>&1") != 0)) {
  const Room room;
  const fs::path& top = room.path();
  fs::create_directory(top / "nothing");
  for (const char* directory : {"a/b/a/c", "b/a/b", "c/a.o", "ab/b*", "foo/bar/foo/bar", "d[1]"}) {
    fs::create_directories(top / "source" / directory);
  }
  for (const char* directory :
       {"", "a", "a/b", "a/b/a", "b", "b/a", "c", "c/a.o", "foo/bar", "foo/bar/foo", "ab/b*", "d[1]"}) {
    for (const char* file : {"a", "b", "c", "a.o", "ab", "b*", "\\x", "foo", "bar", "d1", "-", "[x"}) {
      const fs::path path = top / "source" / directory / file;
      if (!fs::exists(path)) std::ofstream(path) << file;
    }
  }
  static constexpr const char* pieces[] = {"a",   "b",   "c",    "*",   "**",   "?",          "/",    "/",
                                           "a.o", "*.o", "foo",  "bar", "[ab]", "[!a]",       "b\\*", "\\x",
                                           "***", "a*",  "d[1]", "[x",  "/***", "[[:alpha:]]"};
  std::mt19937 random(static_cast<unsigned>(
      std::getenv("NOTIFY_TEST_SEED") ? std::atoi(std::getenv("NOTIFY_TEST_SEED")) : 3));
  const int rounds = std::getenv("NOTIFY_TEST_ROUNDS") ? std::atoi(std::getenv("NOTIFY_TEST_ROUNDS")) : 40;
  for (int round = 0; round < rounds; ++round) {
    PatternList patterns;
    std::string shown;
    for (auto n = 1 + random() % 3; n > 0; --n) {
      std::string pattern;
      for (auto k = 1 + random() % 5; k > 0; --k) pattern += pieces[random() % std::size(pieces)];
      if (pattern.find_first_not_of('/') == std::string::npos) continue;
      random() % 4 ? patterns.exclude(pattern) : patterns.include(pattern);
    }
    for (const std::string& option : patterns.rsync_options()) shown += option + " ";
    std::set<std::string> ours;
    walk(top / "source", "", patterns, ours);
    CAPTURE(shown);
    const std::set<std::string> theirs = listed_by_rsync(top, patterns.rsync_options());
    std::string wrong;
    for (const std::string& path : ours) wrong += theirs.count(path) ? "" : " we pass " + path;
    for (const std::string& path : theirs) wrong += ours.count(path) ? "" : " rsync passes " + path;
    CHECK(wrong == "");
  }
}
