// SPDX-License-Identifier: GPL-2.0-or-later
#include "inotifysync/changes/batch.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <map>
#include <string>

#include "inotifysync/config/patterns.hpp"
#include "inotifysync/rsync/rsync_outcome.hpp"

using namespace inotifysync;

namespace {

// A tree in memory that counts how often it is asked.
class Tree : public FileSystemView {
 public:
  void file(const std::string& path, std::uint64_t size = 10, std::uint64_t inode = 0) {
    FileInfo& info = entries_[path];
    info.type = FileInfo::Type::file;
    info.size = size;
    info.inode = inode;
    if (inode == 0) return;
    std::uint64_t links = 0;
    for (const auto& [other, one] : entries_) links += one.inode == inode;
    for (auto& [other, one] : entries_) {
      if (one.inode == inode) one.links = links;
    }
  }
  void directory(const std::string& path) { entries_[path].type = FileInfo::Type::directory; }
  void symlink(const std::string& path) { entries_[path].type = FileInfo::Type::symlink; }

  FileInfo lstat(const std::string& path) override {
    ++lstats;
    const auto found = entries_.find(path);
    return found == entries_.end() ? FileInfo{} : found->second;
  }
  bool list(const std::string& path, const std::function<void(std::string_view)>& visit) override {
    const std::string prefix = path + "/";
    for (const auto& [name, info] : entries_) {
      if (name.compare(0, prefix.size(), prefix) != 0) continue;
      const std::string_view rest = std::string_view(name).substr(prefix.size());
      if (rest.find('/') == std::string_view::npos) visit(rest);
    }
    return true;
  }
  std::vector<std::string> hard_links(const FileInfo& info) override {
    std::vector<std::string> names;
    for (const auto& [name, one] : entries_) {
      if (one.inode == info.inode) names.push_back(name);
    }
    return names;
  }

  int lstats = 0;

 private:
  std::map<std::string, FileInfo> entries_;
};

const char* kind_name(StepKind kind) {
  static constexpr const char* names[] = {"full",       "move_directory", "move_file",   "exact",
                                          "attributes", "subtree",        "directories", "root"};
  return names[static_cast<int>(kind)];
}

// "kind: name name; kind: ...": the lists as rsync reads them, moves as from>to.
std::string told(const Batch& batch) {
  std::string out;
  for (const Step& step : batch.steps) {
    if (!out.empty()) out += "; ";
    out += kind_name(step.kind);
    out += ':';
    if (!step.to.empty()) out += fmt::format(" {}>{}", step.from, step.to);
    std::string names = step.names;
    if (!names.empty()) names.pop_back();
    for (char& c : names) c = c == '\0' ? ' ' : c;
    if (!names.empty()) (out += ' ') += names;
  }
  return out;
}

PlanOptions deleting() {
  PlanOptions options;
  options.deletion = Deletion::missing_args;
  return options;
}

std::string planned(const ChangeSet& set, Tree& tree, const PlanOptions& options = deleting()) {
  return told(plan_batch(set, tree, options));
}

}  // namespace

TEST_CASE("files, directories, links and what is gone travel in one list") {
  Tree tree;
  tree.directory("d");
  tree.file("d/f");
  tree.symlink("d/l");
  tree.directory("d/new");
  ChangeSet set;
  set.mark("d/f", dirt::content);
  set.mark("d/l", dirt::created);
  set.mark("d/new", dirt::created);
  set.mark("d/gone", dirt::gone);
  set.mark("top", dirt::gone);
  CHECK(planned(set, tree) == "exact: /d/f /d/l /d/new /d/gone ./top");
}

TEST_CASE("names are absolute where the source is told") {
  Tree tree;
  tree.directory("d");
  tree.file("d/f");
  tree.file("#top");
  ChangeSet set;
  set.mark("d/f", dirt::content);
  set.mark("#top", dirt::content);
  PlanOptions options = deleting();
  options.source = "/srv/www";
  const Batch batch = plan_batch(set, tree, options);
  CHECK(told(batch) == "exact: /srv/www/./d/f /srv/www/././#top");
  CHECK(batch.steps[0].from_root);
  CHECK(batch.steps[0].path(batch.steps[0].entries[1]) == "#top");
}

TEST_CASE("only the topmost missing name is listed") {
  Tree tree;
  ChangeSet set;
  set.mark("a/b/c", dirt::content);
  set.mark("a/b/d", dirt::gone);
  CHECK(planned(set, tree) == "exact: ./a");
}

TEST_CASE("a path below what is no directory any more is replaced by that") {
  Tree tree;
  tree.directory("a");
  tree.symlink("a/b");
  ChangeSet set;
  set.mark("a/b/c/d", dirt::content);
  set.mark("a/b/e", dirt::gone);
  CHECK(planned(set, tree) == "exact: /a/b");
}

TEST_CASE("a scattered file costs one look at each name on its way") {
  Tree tree;
  tree.directory("a");
  tree.directory("a/b");
  tree.file("a/b/c");
  ChangeSet set;
  set.mark("a/b/c", dirt::content);
  planned(set, tree);
  CHECK(tree.lstats == 3);
}

TEST_CASE("what came as a whole is listed by name, or sent as one where it is much") {
  Tree tree;
  tree.directory("n");
  tree.directory("n/d");
  tree.file("n/d/f");
  ChangeSet set;
  set.mark("n", dirt::created | dirt::subtree);
  CHECK(planned(set, tree) == "exact: ./n /n/d /n/d/f");
  PlanOptions options = deleting();
  options.list_at_most = 1;
  const Batch batch = plan_batch(set, tree, options);
  CHECK(told(batch) == "subtree: ./n");
  CHECK(batch.steps[0].ignore_times);
  CHECK(batch.steps[0].deletes);
}

TEST_CASE("a directory in the place of another one is sent whole, for there may be strays") {
  Tree tree;
  tree.directory("d");
  tree.file("d/f");
  ChangeSet set;
  set.mark("d", dirt::gone);
  set.mark("d", dirt::created);
  set.mark("d/f", dirt::created);
  CHECK(planned(set, tree) == "subtree: ./d");
}

TEST_CASE("a doubt about a tree is no reason to read all that is in it") {
  Tree tree;
  tree.directory("d");
  ChangeSet set;
  set.mark("d", dirt::subtree);
  CHECK_FALSE(plan_batch(set, tree, deleting()).steps[0].ignore_times);
  set.mark("d/f", dirt::content);
  CHECK(plan_batch(set, tree, deleting()).steps[0].ignore_times);
}

TEST_CASE("a doubt about everything is the full pass, and nothing else") {
  Tree tree;
  ChangeSet set;
  set.mark("", dirt::subtree);
  set.mark("a", dirt::content);
  const Batch batch = plan_batch(set, tree, deleting());
  CHECK(told(batch) == "full:");
  CHECK(batch.full);
  CHECK(tree.lstats == 0);
}

TEST_SUITE("hard links") {
  TEST_CASE("go together, whichever was written through") {
    Tree tree;
    tree.file("a", 10, 7);
    tree.directory("d");
    tree.file("d/b", 10, 7);
    tree.file("c");
    ChangeSet set;
    set.mark("a", dirt::content);
    set.mark("c", dirt::content);
    CHECK(planned(set, tree) == "exact: ./a /d/b ./c");
    set.mark("d/b", dirt::attributes);
    CHECK(planned(set, tree) == "exact: ./a /d/b ./c");
  }

  TEST_CASE("that are excluded stay behind") {
    Tree tree;
    tree.file("a", 10, 7);
    tree.file("b.tmp", 10, 7);
    PatternList patterns;
    patterns.exclude("*.tmp");
    PlanOptions options = deleting();
    options.patterns = &patterns;
    ChangeSet set;
    set.mark("a", dirt::content);
    CHECK(planned(set, tree, options) == "exact: ./a");
  }

  TEST_CASE("into a tree that is sent whole are made by the list run after it") {
    Tree tree;
    tree.directory("d");
    tree.file("d/a", 10, 7);
    tree.file("b", 10, 7);
    ChangeSet set;
    set.mark("d", dirt::subtree);
    CHECK(planned(set, tree) == "subtree: ./d; exact: /d/a ./b");
  }
}

TEST_SUITE("renames") {
  TEST_CASE("of small trees and files are sent in the list") {
    Tree tree;
    tree.directory("new");
    tree.file("new/f");
    tree.file("g");
    ChangeSet set;
    set.mark_moved("old", "new");
    set.mark_moved("h", "g");
    CHECK(planned(set, tree) == "exact: ./old ./new /new/f ./h ./g");
  }

  TEST_CASE("of large ones are linked first, their dirt and the old name follow") {
    Tree tree;
    tree.directory("new");
    tree.file("new/f", 1'000'000);
    tree.directory("d");
    tree.file("d/g", 1'000'000);
    ChangeSet set;
    set.mark("old/f", dirt::content);
    set.mark_moved("old", "new");
    set.mark_moved("h", "d/g");
    CHECK(planned(set, tree) ==
          "move_directory: old>new; move_file: h>d/g; exact: ./old ./new /new/f ./h ./d");
  }

  TEST_CASE("are sent anew where the target may not lose or never had the old name") {
    Tree tree;
    tree.directory("new");
    tree.file("new/f", 1'000'000);
    ChangeSet set;
    set.mark_moved("old", "new");
    PlanOptions options = deleting();
    options.deletion = Deletion::none;
    CHECK(planned(set, tree, options) == "exact: ./new /new/f");
    tree.directory("old");  // something else is there by now
    CHECK(planned(set, tree) == "subtree: ./old; exact: ./new /new/f");
  }

  TEST_CASE("onto a name in use are not linked: an old file could pass for a new one") {
    Tree tree;
    tree.directory("new");
    tree.file("new/f", 1'000'000);
    ChangeSet set;
    set.mark("new", dirt::gone);
    set.mark_moved("old", "new");
    CHECK(planned(set, tree) == "subtree: ./new; exact: ./old");
  }

  TEST_CASE("take the patterns along, as they look from the new place") {
    Tree tree;
    tree.directory("new");
    tree.file("new/f", 1'000'000);
    PatternList patterns;
    patterns.exclude("/new/cache/");
    patterns.exclude("/other");
    PlanOptions options = deleting();
    options.patterns = &patterns;
    ChangeSet set;
    set.mark_moved("old", "new");
    const Batch batch = plan_batch(set, tree, options);
    CHECK(told(batch) == "move_directory: old>new; exact: ./old ./new");
    CHECK(batch.steps[0].filters == std::vector<std::string>{"--exclude=/cache/"});
    patterns.exclude("/**/x");
    CHECK(planned(set, tree, options) == "exact: ./old ./new /new/f");
  }

  TEST_CASE("that fail are put back without the link") {
    Tree tree;
    tree.directory("new");
    tree.file("new/f", 1'000'000);
    ChangeSet set, left;
    set.mark_moved("old", "new");
    const Batch batch = plan_batch(set, tree, deleting());
    put_back(batch.steps[0], Outcome{}, left);
    CHECK(told(plan_batch(left, tree, deleting())) == "exact: ./new /new/f");
  }
}

TEST_SUITE("deletion") {
  TEST_CASE("that was not asked for is left out, but not the times of the directory") {
    Tree tree;
    tree.directory("d");
    ChangeSet set;
    set.mark("d/a", dirt::gone);
    set.mark("d/b", dirt::gone);
    PlanOptions options;
    const Batch batch = plan_batch(set, tree, options);
    CHECK(told(batch) == "exact: ./d");
    CHECK(batch.missing == 0);
    CHECK_FALSE(batch.steps[0].deletes);
  }

  TEST_CASE("is counted name by name, and rsync minds the limit where nobody could count") {
    Tree tree;
    ChangeSet set;
    for (int i = 0; i < 10; ++i) set.mark(fmt::format("d/{}", i), dirt::gone);
    set.mark("d", dirt::gone);
    PlanOptions options = deleting();
    options.limited = true;
    CHECK(plan_batch(set, tree, options).missing == 11);
    CHECK(plan_batch(set, tree, options).steps[0].counted);
    set.mark("away", dirt::gone | dirt::unseen);
    CHECK_FALSE(plan_batch(set, tree, options).steps[0].counted);
    CHECK(plan_batch(set, tree, deleting()).steps[0].counted);
  }

  TEST_CASE("by directory lists the parents, and owes each name") {
    Tree tree;
    tree.directory("d");
    ChangeSet set, left;
    set.mark("d/a", dirt::gone);
    set.mark("d/b", dirt::gone);
    set.mark("c", dirt::gone);
    PlanOptions options;
    options.deletion = Deletion::by_directory;
    const Batch batch = plan_batch(set, tree, options);
    CHECK(told(batch) == "directories: ./d/ ./");
    CHECK(batch.missing == 3);
    put_back(batch.steps[0], Outcome{}, left);
    CHECK(left.dirt_of("d/b") == dirt::gone);
    CHECK(left.size() == 3);
  }

  TEST_CASE("knows how many names a rename takes from under the old one") {
    Tree tree;
    tree.directory("new");
    tree.file("new/a");
    tree.file("new/b");
    ChangeSet set;
    set.mark_moved("old", "new");
    PlanOptions options;
    options.deletion = Deletion::by_directory;
    options.limited = true;
    const Batch batch = plan_batch(set, tree, options);
    REQUIRE(batch.steps.back().kind == StepKind::directories);
    CHECK(batch.steps.back().renamed == 3);
    CHECK(batch.missing == 0);
  }

  TEST_CASE("spares what may have been excluded") {
    Tree tree;
    PatternList patterns;
    patterns.exclude("cache/");
    PlanOptions options = deleting();
    options.patterns = &patterns;
    ChangeSet set;
    set.mark("cache", dirt::gone);
    set.mark("other", dirt::gone);
    CHECK(planned(set, tree, options) == "exact: ./other");
  }
}

TEST_CASE("large files with nothing but attributes do not make rsync read them") {
  Tree tree;
  tree.file("large", 1'000'000'000);
  tree.file("small", 10);
  ChangeSet set;
  set.mark("large", dirt::attributes);
  set.mark("small", dirt::attributes);
  const Batch batch = plan_batch(set, tree, deleting());
  CHECK(told(batch) == "exact: ./small; attributes: ./large");
  CHECK_FALSE(batch.steps[1].ignore_times);
}

TEST_CASE("the source's own directory rides along, or goes alone") {
  Tree tree;
  tree.directory("d");
  tree.file("d/f");
  ChangeSet set;
  set.mark("", dirt::attributes);
  CHECK(planned(set, tree) == "root:");
  set.mark("d/f", dirt::content);
  CHECK(planned(set, tree) == "exact: /d/f ./d/f");  // named twice, sent once
  ChangeSet left;
  put_back(plan_batch(set, tree, deleting()).steps[0], Outcome{}, left);
  CHECK(left.dirt_of("") == dirt::attributes);
}
