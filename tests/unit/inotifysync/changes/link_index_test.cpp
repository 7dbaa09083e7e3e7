// SPDX-License-Identifier: GPL-2.0-or-later
#include "inotifysync/changes/link_index.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

using namespace inotifysync;

namespace {

// Names and inodes, each in one directory of the root; counts how often that is read.
class Names : public FileSystemView {
 public:
  std::map<std::string, std::uint64_t> inodes;
  std::uint64_t outside = 0;  // names of every file that lie elsewhere
  int walks = 0;
  std::string moving;  // in no directory while they are read
  std::string linked;  // a second name of "e/a", made when "d" is about to be read
  std::map<std::uint64_t, std::uint64_t> modified;  // by inode
  std::uint64_t changed = 0, time = 1'000'000'000;

  FileInfo lstat(const std::string& path) override {
    FileInfo info;
    if (path.find('/') == std::string::npos) info.type = FileInfo::Type::directory;
    const auto found = inodes.find(path);
    if (found == inodes.end()) return info;
    info.type = FileInfo::Type::file;
    info.inode = found->second;
    info.changed = changed;
    if (const auto found_time = modified.find(info.inode); found_time != modified.end())
      info.modified = found_time->second;
    info.links = outside;
    for (const auto& [name, inode] : inodes) info.links += inode == found->second;
    return info;
  }
  bool list(const std::string& path, const std::function<void(std::string_view)>& visit) override {
    if (path == "d" && !linked.empty()) inodes[std::exchange(linked, "")] = inodes["e/a"], changed = ++time;
    std::set<std::string> entries;
    for (const auto& [name, inode] : inodes) {
      const std::size_t slash = name.find('/');
      if (path.empty()) entries.insert(name.substr(0, slash));
      if (path == name.substr(0, slash) && name != moving) entries.insert(name.substr(slash + 1));
    }
    if (path.empty()) ++walks;
    for (const std::string& entry : entries) visit(entry);
    return true;
  }
  std::uint64_t now() override { return ++time; }
  void rename_directory(const std::string& from, const std::string& to) {
    for (auto& [name, inode] : std::map(inodes)) {
      if (name.substr(0, from.size() + 1) != from + '/') continue;
      inodes.erase(name);
      inodes[to + name.substr(from.size())] = inode;
    }
  }
};

using List = std::vector<std::string>;

}  // namespace

TEST_CASE("names of one file are found by one walk") {
  Names files;
  files.inodes = {{"d/a", 1}, {"d/b", 1}, {"d/c", 2}, {"d/e", 3}, {"d/f", 3}};
  LinkIndex index(files);
  CHECK(index.names("d/a", files.lstat("d/a")) == List{"d/a", "d/b"});
  CHECK(index.names("d/f", files.lstat("d/f")) == List{"d/e", "d/f"});
  CHECK(files.walks == 1);
  CHECK(index.others("d/a") == List{"d/b"});
  CHECK(index.others("d/c").empty());
}

TEST_CASE("a name that is gone is still known to have been one of the file's") {
  Names files;
  files.inodes = {{"d/a", 1}, {"d/b", 1}};
  LinkIndex index(files);
  index.walk();
  files.inodes.erase("d/a");
  CHECK(index.others("d/a") == List{"d/b"});
  files.inodes["d/a"] = 9;  // another file by that name
  files.inodes["d/z"] = 1;
  index.renew();
  CHECK(index.names("d/b", files.lstat("d/b")) == List{"d/b", "d/z"});
  CHECK(index.others("d/a") == List{"d/b", "d/z"});  // who has the old one open is told of by this name
}

TEST_CASE("names outside the source do not make it walk again and again") {
  Names files;
  files.inodes = {{"d/a", 1}, {"d/b", 1}};
  files.outside = 1;
  LinkIndex index(files);
  for (int i = 0; i < 5; ++i, index.renew())
    CHECK(index.names("d/a", files.lstat("d/a")) == List{"d/a", "d/b"});
  CHECK(files.walks == 1);
  files.inodes["d/c"] = 1;
  index.renew();
  CHECK(index.names("d/a", files.lstat("d/a")) == List{"d/a", "d/b", "d/c"});
  CHECK(files.walks == 2);
}

TEST_CASE("a walk can be bounded") {
  Names files;
  for (int i = 0; i < 1000; ++i) files.inodes["d/" + std::to_string(i)] = 1;
  LinkIndex index(files);
  CHECK(index.walk(11) == 11);
  CHECK(index.names("d/0", files.lstat("d/0")).size() == 1000);  // those that it has not met are not outside
  CHECK(index.others("d/0").size() == 999);
  CHECK(files.walks == 2);
}

// The file has one name left, so a walk does not remember it; what was done through the other is still to be
// told.
TEST_CASE("a name that is gone is known after a walk for another file, too") {
  Names files;
  files.inodes = {{"d/a", 1}, {"d/b", 1}};
  LinkIndex index(files);
  index.names("d/a", files.lstat("d/a"));
  files.inodes = {{"d/b", 1}, {"d/e", 3}, {"d/f", 3}};
  index.renew();
  CHECK(index.names("d/e", files.lstat("d/e")) == List{"d/e", "d/f"});
  CHECK(index.others("d/a") == List{"d/b"});
}

TEST_CASE("what is told of a name that is new, and gone by the time of the plan, is known of the others") {
  Names files;
  files.inodes = {{"d/a", 1}, {"d/c", 2}};
  LinkIndex index(files);
  index.walk();
  CHECK(index.others("d/c").empty());
  CHECK(files.walks == 1);
  files.inodes["d/b"] = 1;
  CHECK(index.others("d/b") == List{"d/a"});
  CHECK(files.walks == 2);
  files.inodes.erase("d/b");
  CHECK(index.others("d/b") == List{"d/a"});
  CHECK(files.walks == 2);
}

TEST_CASE("events make it walk once for a plan, or once in a while") {
  Names files;
  for (std::uint64_t i = 0; i < 320; ++i) files.inodes["d/" + std::to_string(1000 + i)] = i;
  LinkIndex index(files);
  const auto linked = [&](std::uint64_t i) {
    files.inodes["d/linked" + std::to_string(i)] = i;
    return index.others("d/linked" + std::to_string(i)).size();
  };
  CHECK(linked(0) == 1);
  CHECK(linked(1) == 0);
  index.renew();
  CHECK(linked(2) == 1);
  CHECK(files.walks == 2);
  for (std::uint64_t i = 3; i < 26; ++i) linked(i);
  CHECK(files.walks == 3);
}

TEST_CASE("a name that was moved while the source was read is known when it is met") {
  Names files;
  files.inodes = {{"d/a", 1}, {"d/b", 1}};
  files.moving = "d/a";
  LinkIndex index(files);
  CHECK(index.names("d/b", files.lstat("d/b")) == List{"d/b"});
  files.moving.clear();
  index.renew();
  CHECK(index.names("d/a", files.lstat("d/a")) == List{"d/a", "d/b"});
  index.renew();
  CHECK(index.names("d/b", files.lstat("d/b")) == List{"d/a", "d/b"});
  CHECK(files.walks == 1);
}

TEST_CASE("a file of several names is known by those that a renamed directory gives it") {
  Names files;
  files.inodes = {{"a/f", 1}, {"z/g", 1}, {"a-b/f", 2}, {"a0/f", 2}};
  LinkIndex index(files);
  index.walk();
  files.rename_directory("a", "b");
  index.renamed("a", "b");
  files.inodes.erase("b/f");
  CHECK(index.others("b/f") == List{"a/f", "z/g"});
  CHECK(index.others("z/g") == List{"a/f", "b/f"});
  CHECK(index.others("a-b/f") == List{"a0/f"});
  CHECK(files.walks == 1);
}

TEST_CASE("an open file without a name is told of by the directory's new one") {
  Names files;
  files.inodes = {{"a/f", 1}, {"z/g", 1}};
  LinkIndex index(files);
  index.walk();
  files.inodes.erase("a/f");
  const auto others_are = [&](const std::string& path, const std::string& name) {
    const List others = index.others(path);
    return std::find(others.begin(), others.end(), name) != others.end();
  };
  CHECK(others_are("a/f", "z/g"));
  index.renamed("a", "b");
  CHECK(others_are("b/f", "z/g"));
  SUBCASE("after a walk for another file") {
    files.inodes["z/x"] = files.inodes["z/y"] = 7;
    index.walk();
    CHECK(others_are("b/f", "z/g"));
  }
  SUBCASE("and the name that is left has moved, too") {
    files.rename_directory("z", "y");
    index.renamed("z", "y");
    CHECK(others_are("b/f", "y/g"));
    index.walk();
    CHECK(others_are("b/f", "y/g"));
  }
  SUBCASE("and the name that is left moves before that is told") {
    files.rename_directory("z", "y");
    index.walk();
    CHECK(others_are("b/f", "z/g"));
    index.renamed("z", "y");
    CHECK(others_are("b/f", "y/g"));
  }
}

TEST_CASE("files that exchange their names are each known by the right one") {
  Names files;
  files.inodes = {{"a/f", 1}, {"c/f", 1}, {"a/g", 2}, {"c/g", 2}};
  LinkIndex index(files);
  index.walk();
  std::swap(files.inodes["a/f"], files.inodes["a/g"]);
  index.renamed("a/f", "a/g");
  index.renamed("a/g", "a/f");
  CHECK(index.others("a/g") == List{"a/f", "c/f", "c/g"});  // what it was as well
  CHECK(index.others("a/f") == List{"a/g", "c/f", "c/g"});
  index.renew();
  CHECK(index.names("a/g", files.lstat("a/g")) == List{"a/g", "c/f"});
  CHECK(index.names("a/f", files.lstat("a/f")) == List{"a/f", "c/g"});
}

TEST_CASE("a name that replaced one of a file is that of another, and was that file's") {
  Names files;
  files.inodes = {{"a/f", 1}, {"c/f", 1}, {"a/g", 2}, {"c/g", 2}};
  LinkIndex index(files);
  index.walk();
  files.inodes.erase("a/f");
  files.inodes["a/g"] = 1;
  index.renamed("a/f", "a/g");
  CHECK(index.others("a/g") == List{"a/f", "c/f", "c/g"});
  index.renew();
  CHECK(index.names("a/g", files.lstat("a/g")) == List{"a/g", "c/f"});
}

TEST_CASE("a new name is known to be the file's when it is the only one that is left") {
  Names files;
  files.inodes = {{"a/f", 1}, {"z/a", 1}};
  LinkIndex index(files);
  index.walk();
  files.inodes = {{"a/k", 1}};  // ln z/a a/k; rm a/f z/a
  index.others("a/k");
  for (const char* const name : {"a/f", "z/a"}) index.unlinked(name);
  const auto is_told_by = [&](const std::string& name) {
    const List others = index.others(name);
    return std::find(others.begin(), others.end(), "a/k") != others.end();
  };
  CHECK(is_told_by("a/f"));
  index.walk();
  CHECK(is_told_by("a/f"));
  CHECK(is_told_by("z/a"));
}

TEST_CASE("a new name of a file that is known needs no walk") {
  Names files;
  files.inodes = {{"a/f", 1}, {"c/f", 1}};
  LinkIndex index(files);
  index.walk();
  for (int i = 0; i < 100; ++i) {
    const std::string name = "a/new" + std::to_string(i);
    files.inodes[name] = 1;
    CHECK(index.others(name).size() >= 2);
    files.inodes.erase(name);
    index.unlinked(name);
    CHECK(index.others(name).size() >= 2);
  }
  CHECK(files.walks == 1);
  CHECK(index.others("a/f").size() < 100);  // what is gone is not kept for ever
}

TEST_CASE("a name that another file has by now is known to have been this one's after a walk, too") {
  Names files;
  files.inodes = {{"a/f", 1}, {"c/f", 1}};
  LinkIndex index(files);
  index.walk();
  files.inodes["a/f"] = 2;
  index.walk();
  CHECK(index.others("a/f") == List{"c/f"});
}

TEST_CASE("a name is known to have been that of several files, one after the other") {
  Names files;
  files.inodes = {{"a/f", 1}, {"c/f", 1}, {"a/g", 2}, {"c/g", 2}};
  LinkIndex index(files);
  index.walk();
  files.inodes.erase("a/f");
  index.unlinked("a/f");
  files.inodes.erase("a/g");
  index.renamed("a/g", "a/f");
  index.unlinked("a/f");
  CHECK(index.others("a/f") == List{"a/g", "c/f", "c/g"});
  index.renamed("a", "b");
  CHECK(index.others("b/f") == List{"a/f", "a/g", "b/g", "c/f", "c/g"});
}

TEST_CASE("which files have lost a name since is known, told of or seen only now") {
  Names files;
  files.inodes = {{"d/a", 1}, {"d/b", 1}, {"d/c", 2}, {"d/e", 2}, {"d/f", 3}, {"d/g", 3}};
  LinkIndex index(files);
  index.walk();
  files.inodes.erase("d/g");
  index.unlinked("d/g");
  const std::uint64_t since = index.losses();
  CHECK(index.have_lost_names(since).empty());
  files.inodes["d/a"] = 9;  // another file took its place, of which nothing is told yet
  files.inodes.erase("d/c");
  index.unlinked("d/c");
  index.renew();
  index.walk();
  CHECK(index.have_lost_names(since) == List{"d/b", "d/e"});
  CHECK(index.have_lost_names(index.losses()).empty());
}

TEST_CASE("a name that is made while the others are read leads to another look") {
  Names files;
  files.inodes = {{"d/x", 2}, {"e/a", 1}};
  files.linked = "d/b";
  LinkIndex index(files);
  index.walk();
  CHECK(index.others("d/b").empty());  // the first name was the only one when it was met
  files.time += 1'000'000'000;
  CHECK(index.names("d/b", files.lstat("d/b")) == List{"d/b", "e/a"});
  CHECK(files.walks == 2);
  files.outside = 1;
  for (int i = 0; i < 3; ++i, index.renew()) index.names("d/b", files.lstat("d/b"));
  CHECK(files.walks == 3);
}

TEST_CASE("what was written to a file with several names shows by its time, once, whoever did it") {
  Names files;
  files.inodes = {{"d/a", 1}, {"d/b", 1}, {"d/c", 2}, {"d/e", 2}, {"d/f", 3}};
  files.modified = {{1, 100}, {2, 100}, {3, 100}};
  LinkIndex index(files);
  CHECK_FALSE(index.knows_any());
  index.walk();
  CHECK(index.knows_any());
  CHECK(index.written_unheard().empty());
  files.modified = {{1, 200}, {2, 100}, {3, 200}};
  CHECK(index.written_unheard() == List{"d/a", "d/b"});  // of one name alone, events tell
  CHECK(index.written_unheard().empty());
  files.modified[2] = 200;
  CHECK(index.others("d/c") == List{"d/e"});  // told of: what it is now, or later, is going to be sent
  CHECK(index.written_unheard().empty());
  files.inodes.erase("d/e");
  index.unlinked("d/e");
  files.modified[2] = 150;  // a clock was set back
  CHECK(index.written_unheard() == List{"d/c"});
}
