// SPDX-License-Identifier: GPL-2.0-or-later
// What a batch lists, and how often it looks.
#include <doctest/doctest.h>

#include "batch_tree.hpp"

using namespace batch_tree;

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

TEST_CASE("what is being written in a new directory waits for its turn") {
  Tree tree;
  tree.directory("d");
  tree.file("d/closed");
  tree.file("d/open");
  ChangeSet set;
  set.mark("d", dirt::created | dirt::content | dirt::subtree);
  PlanOptions options = deleting();
  options.is_kept_back = [](std::string_view path) { return path == "d/open"; };
  CHECK(planned(set, tree, options) == "exact: ./d /d/closed");
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

  // Of a file with a name in a directory that has just come in, the index may know the others alone at first.
  struct LateIndex : Tree {
    std::vector<std::string> hard_links(const std::string& path, const FileInfo& info) override {
      return std::exchange(is_late, false) ? std::vector{path} : Tree::hard_links(path, info);
    }
    bool is_late = true;
  };

  TEST_CASE("go together where one of them is known too late for the list of attributes") {
    LateIndex tree;
    tree.file("a", 1'000'000, 7);
    tree.directory("d");
    tree.file("d/b", 1'000'000, 7);
    ChangeSet set;
    set.mark("a", dirt::attributes);
    set.mark("d", dirt::created | dirt::subtree);
    CHECK(planned(set, tree) == "exact: ./d /d/b ./a; attributes: ./a");
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

TEST_CASE("a target is expected to have what was only changed") {
  Tree tree;
  tree.directory("d");
  for (const char* file : {"changed", "born", "replaced", "d/below"}) tree.file(file);
  ChangeSet set;
  set.mark("changed", dirt::content);
  set.mark("born", dirt::created | dirt::content);
  set.mark("replaced", dirt::gone | dirt::content);
  set.mark("gone", dirt::gone);
  set.mark("d", dirt::attributes);
  set.mark("d/below", dirt::content);  // a directory above it would be made, too
  for (const char* directory : {"to", "newborn"}) {
    tree.directory(directory);
    tree.file(std::string(directory) + "/renamed", 1'000'000);
    set.mark_moved(std::string("from-") + directory, std::string(directory) + "/renamed");
  }
  set.mark("newborn", dirt::created);
  std::string expected;
  for (const Batch batch = plan_batch(set, tree, deleting());
       const Step::Entry& entry : batch.steps.back().entries)
    if (entry.expected) expected.append(batch.steps.back().path(entry)).append(" ");
  CHECK(expected == "changed d to ");
}
