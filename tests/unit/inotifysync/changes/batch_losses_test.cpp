// SPDX-License-Identifier: GPL-2.0-or-later
// Batches that take something away: renames and deletions.
#include <doctest/doctest.h>

#include "batch_tree.hpp"

using namespace batch_tree;

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

  TEST_CASE("into what looks like a pattern are not linked: the other end would look for what it matches") {
    Tree tree;
    for (const char* const name : {"[new]", "a*", "a"}) tree.directory(name);
    for (const char* const name : {"[new]/f", "a*/f", "a/f?"}) tree.file(name, 1'000'000);
    ChangeSet directory, below, file;
    directory.mark_moved("old", "[new]");
    CHECK(planned(directory, tree) == "exact: ./old ./[new] /[new]/f");
    below.mark_moved("f", "a*/f");
    CHECK(planned(below, tree) == "exact: ./f /a*/f");
    file.mark_moved("f", "a/f?");
    CHECK(planned(file, tree) == "move_file: f>a/f?; exact: ./f ./a");
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

  TEST_CASE("take along who has a name elsewhere: from the old place, it may come as a file of its own") {
    Tree tree;
    tree.directory("new");
    tree.file("new/f", 1'000'000, 7);
    tree.file("k", 1'000'000, 7);
    tree.file("new/g", 10, 8);
    tree.file("new/h", 10, 8);
    ChangeSet set;
    set.mark_moved("old", "new");
    CHECK(planned(set, tree) == "move_directory: old>new; exact: ./old ./new /new/f ./k");
  }

  TEST_CASE("that fail are put back without the link") {
    Tree tree;
    tree.directory("new");
    tree.file("new/f", 1'000'000);
    ChangeSet set, left;
    set.mark_moved("old", "new");
    const Batch batch = plan_batch(set, tree, deleting());
    put_back(batch.steps[0], Outcome{}, left);
    CHECK(told(plan_batch(left, tree, deleting())) == "exact: ./new /new/f; directories: ./new/");
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

  TEST_CASE("of strays is a look at their directories, of which nothing else is said") {
    Tree tree;
    tree.directory("d");
    tree.file("d/a");
    ChangeSet set, left;
    set.mark("d", dirt::stray);
    set.mark("d/a", dirt::content);
    set.mark("", dirt::stray);
    set.mark("gone", dirt::stray);
    PlanOptions options = deleting();
    const Batch batch = plan_batch(set, tree, options);
    CHECK(told(batch) == "exact: /d/a; directories: ./ ./d/");
    put_back(batch.steps[1], Outcome{}, left);
    CHECK(left.dirt_of("d") == dirt::stray);
    options.deletion = Deletion::none;
    CHECK(planned(set, tree, options) == "exact: /d/a");
  }

  TEST_CASE("leaves it to rsync what may have been excluded") {
    Tree tree;
    PatternList patterns;
    patterns.exclude("cache/");
    patterns.exclude("*.tmp");
    PlanOptions options = deleting();
    options.patterns = &patterns;
    ChangeSet set;
    set.mark("x.tmp", dirt::gone);
    set.mark("other", dirt::gone);
    CHECK(planned(set, tree, options) == "exact: ./other");
    set.mark("cache", dirt::gone);
    CHECK(planned(set, tree, options) == "exact: ./other; directories: ./");
    SUBCASE("also where it is a directory now") {
      tree.directory("cache");
    }
    SUBCASE("and once for several") {
      set.mark("cache", dirt::gone | dirt::stray);
    }
    CHECK(planned(set, tree, options) == "exact: ./other; directories: ./");
    ChangeSet attributes;
    attributes.mark("cache", dirt::attributes);
    tree.directory("cache");
    CHECK(planned(attributes, tree, options).empty());
  }
}

TEST_CASE("what a target may know of a tree that was born is swept out of it") {
  Tree tree;
  tree.directory("n");
  tree.directory("n/d");
  tree.file("n/d/f");
  ChangeSet set;
  SUBCASE("a tree that came whole") {
    set.mark("n", dirt::created | dirt::content | dirt::subtree);
  }
  SUBCASE("one that was made piece by piece") {
    set.mark("n", dirt::created);
    set.mark("n/d", dirt::created);
    set.mark("n/d/f", dirt::created | dirt::content);
  }
  CHECK(planned(set, tree) == "exact: ./n /n/d /n/d/f");
  set.doubt_births();
  CHECK(planned(set, tree) == "exact: ./n /n/d /n/d/f; directories: ./n/ /n/d/");
}

TEST_CASE("a tree that came whole and was begun on is swept when it is sent again") {
  Tree tree;
  tree.directory("n");
  tree.file("n/f");
  ChangeSet set;
  set.mark("n", dirt::created | dirt::subtree);
  PlanOptions options = deleting();
  options.list_at_most = 0;
  const Batch batch = plan_batch(set, tree, options);
  REQUIRE(told(batch) == "subtree: ./n");
  CHECK(batch.trees == std::vector<std::string>{"n"});
  ChangeSet left;
  put_back(batch.steps[0], Outcome{}, left);
  left.mark("n/gone", dirt::gone);  // says nothing: all of it is to be sent anyway
  CHECK(planned(left, tree) == "exact: ./n /n/f; directories: ./n/");
}

TEST_CASE("rsync may count along where everything that goes was told") {
  Tree tree;
  tree.directory("kept");
  ChangeSet set;
  PlanOptions options = deleting();
  options.limited = true;
  const auto exact = [&] { return plan_batch(set, tree, options).steps.at(0); };
  SUBCASE("a file, and a tree name by name") {
    set.mark("file", dirt::gone);
    set.mark("tree/a", dirt::gone);
    set.mark("tree", dirt::gone);
    CHECK(exact().counted);
    CHECK(exact().limitable);
  }
  SUBCASE("a tree of which part was renamed before") {
    set.mark_moved("tree/a", "kept/a");
    set.mark("tree", dirt::gone);
    CHECK(exact().counted);
    CHECK_FALSE(exact().limitable);
  }
  SUBCASE("the old name of a tree") {
    set.mark_moved("tree", "kept");
    CHECK_FALSE(exact().limitable);
  }
  SUBCASE("a tree of which less was told, for it was to be sent whole") {
    set.mark("tree", dirt::subtree);
    set.mark("tree/a", dirt::gone);
    set.mark("tree", dirt::gone);
    CHECK_FALSE(exact().limitable);
  }
  SUBCASE("a tree that a file took the place of") {
    tree.file("tree");
    set.mark("tree/a", dirt::gone);
    set.mark("tree", dirt::gone);
    set.mark("tree", dirt::created | dirt::content);
    CHECK_FALSE(exact().limitable);
  }
  SUBCASE("a tree that went out of sight before a file took its place") {
    tree.file("tree");
    set.mark("tree", dirt::gone | dirt::unseen);
    set.mark("tree", dirt::created | dirt::content);
    CHECK_FALSE(exact().limitable);
  }
  SUBCASE("a file that another took the place of") {
    tree.file("file");
    set.mark("file", dirt::gone);
    set.mark("file", dirt::created | dirt::content);
    CHECK(exact().limitable);
  }
  SUBCASE("one of which no event has come yet") {
    set.mark("tree/file", dirt::content);
    CHECK_FALSE(exact().counted);
  }
}

TEST_CASE("what a rename takes away is beyond the limit where rsync minds it") {
  Tree tree;
  tree.directory("new");
  tree.file("new/f");
  ChangeSet set;
  set.mark_moved("old", "new");
  set.mark("out", dirt::gone | dirt::unseen);
  PlanOptions options = deleting();
  options.limited = true;
  const Step step = plan_batch(set, tree, options).steps.at(0);
  CHECK_FALSE(step.counted);
  CHECK(step.renamed == 2);
}
