// SPDX-License-Identifier: GPL-2.0-or-later
#include "inotifysync/changes/change_set.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <string>

using namespace inotifysync;

namespace {

// "path:dirt[<origin]" for every dirty path, in order of marking.
std::string told(const ChangeSet& set) {
  std::string out;
  set.for_each([&](std::string_view path, Dirt dirt, std::string_view from) {
    if (!out.empty()) out += ' ';
    out += path;
    out += ':';
    if (dirt & dirt::content) out += 'c';
    if (dirt & dirt::attributes) out += 'a';
    if (dirt & dirt::created) out += '+';
    if (dirt & dirt::gone) out += '-';
    if (dirt & dirt::subtree) out += '*';
    if (!from.empty()) (out += '<') += from;
  });
  return out;
}

}  // namespace

TEST_CASE("a change set tells what was marked, kinds together") {
  ChangeSet set;
  CHECK(set.empty());
  set.mark("a/b", dirt::content);
  set.mark("a/b", dirt::attributes);
  set.mark("a", dirt::attributes);
  CHECK(told(set) == "a:a a/b:ca");
  CHECK(set.size() == 2);
  CHECK(set.dirt_of("a/b") == (dirt::content | dirt::attributes));
  CHECK(set.dirt_of("a/c") == 0);
}

TEST_CASE("a path marked whole absorbs what is below it, before and after") {
  ChangeSet set;
  set.mark("a/b/c", dirt::content);
  set.mark("a/b/d", dirt::content);
  set.mark("a", dirt::subtree);
  CHECK(told(set) == "a:*");
  set.mark("a/x", dirt::attributes);
  CHECK(told(set) == "a:*");
  set.mark("a/x", dirt::content);  // now equal size and time may not hide a change
  CHECK(told(set) == "a:c*");
  CHECK(set.size() == 1);
}

TEST_CASE("what is gone takes its children's dirt along, and is remembered when it comes back") {
  ChangeSet set;
  set.mark("a/b", dirt::content);
  set.mark("a", dirt::gone);
  CHECK(told(set) == "a:-");
  set.mark("a", dirt::created);
  set.mark("a/n", dirt::created);
  CHECK(told(set) == "a:+- a/n:+");
}

TEST_CASE("the source itself is the empty path") {
  ChangeSet set;
  set.mark("", dirt::attributes);
  set.mark("x", dirt::content);
  CHECK(told(set) == ":a x:c");
  set.mark("", dirt::subtree);
  CHECK(told(set) == ":a*");
}

TEST_CASE("paths with dots, and none at all, are no paths of ours") {
  ChangeSet set;
  set.mark("a/../b", dirt::content);
  set.mark("./b", dirt::content);
  set.mark_moved("..", "a");
  CHECK(set.empty());
  set.mark("a//b/", dirt::content);
  CHECK(told(set) == "a/b:c");
}

TEST_CASE("a path too long to be told marks the part that fits") {
  ChangeSet set;
  std::string path = "top";
  while (path.size() < 5000) path.append("/").append(99, 'x');
  set.mark(path, dirt::content);
  CHECK(set.size() == 1);
  set.for_each([](std::string_view at, Dirt dirt, std::string_view) {
    CHECK(at.size() < 4096);
    CHECK(at.size() > 3900);
    CHECK(dirt == (dirt::content | dirt::subtree));
  });
}

TEST_SUITE("renames") {
  TEST_CASE("carry their dirt along and remember where the target has them") {
    ChangeSet set;
    set.mark("old/f", dirt::content);
    set.mark_moved("old", "new");
    CHECK(told(set) == "old:- new:+<old new/f:c");
  }

  TEST_CASE("in a row lead back to the first place") {
    ChangeSet set;
    set.mark_moved("a", "b");
    set.mark_moved("b", "c");
    CHECK(told(set) == "a:- b:- c:+<a");
  }

  TEST_CASE("of what was born here lead nowhere") {
    ChangeSet set;
    set.mark("t", dirt::created | dirt::content);
    set.mark_moved("t", "final");
    CHECK(told(set) == "t:- final:c+*");
  }

  TEST_CASE("below a renamed directory lead through its old name") {
    ChangeSet set;
    set.mark_moved("a", "b");
    set.mark_moved("b/x", "y");
    CHECK(told(set) == "a:- b:+<a b/x:- y:+<a/x");
  }

  TEST_CASE("there and back again are sent anew, for it may have been an exchange") {
    ChangeSet set;
    set.mark_moved("a", "b");
    set.mark_moved("b", "a");
    CHECK(told(set) == "a:c+-* b:-");
  }

  TEST_CASE("onto a name that was in use do not forget that it was") {
    ChangeSet set;
    set.mark("b", dirt::content);
    set.mark_moved("a", "b");
    CHECK(told(set) == "b:+-<a a:-");
  }

  TEST_CASE("out of a whole directory have no origin") {
    ChangeSet set;
    set.mark("a", dirt::subtree);
    set.mark_moved("a/x", "y");
    CHECK(told(set) == "a:* y:c+*");
  }

  TEST_CASE("of a deleted name have no origin") {
    ChangeSet set;
    set.mark("a", dirt::gone);
    set.mark_moved("a", "b");
    CHECK(told(set) == "a:- b:c+*");
  }
}

TEST_SUITE("merging") {
  TEST_CASE("adds what is later") {
    ChangeSet earlier, later;
    earlier.mark("a", dirt::content);
    later.mark("a", dirt::attributes);
    later.mark("b/c", dirt::created);
    earlier.merge(later);
    CHECK(told(earlier) == "a:ca b/c:+");
  }

  TEST_CASE("takes earlier dirt along with a later rename") {
    ChangeSet earlier, later;
    earlier.mark("old/f", dirt::content);
    earlier.mark_moved("q", "old/r");
    later.mark_moved("old", "new");
    later.mark("new/g", dirt::created);
    earlier.merge(later);
    CHECK(told(earlier) == "old:- q:- new:+<old new/f:c new/r:+<q new/g:+");
  }

  TEST_CASE("follows a rename through an earlier one") {
    ChangeSet earlier, later;
    earlier.mark_moved("a", "b");
    later.mark_moved("b", "c");
    earlier.merge(later);
    CHECK(told(earlier) == "a:- b:- c:+<a");
  }

  TEST_CASE("of a rename that was not delivered sends all of it") {
    ChangeSet earlier, later;
    earlier.mark("b", dirt::created | dirt::content | dirt::subtree);  // what is put back for a -> b
    later.mark_moved("b", "c");
    earlier.merge(later);
    CHECK(told(earlier) == "b:- c:c+*");
  }

  TEST_CASE("into a whole set changes nothing") {
    ChangeSet earlier, later;
    earlier.mark("", dirt::subtree);
    later.mark("a", dirt::attributes);
    later.mark_moved("b", "c");
    earlier.merge(later);
    CHECK(earlier.size() == 1);
  }
}

TEST_CASE("deletions are counted, those of a whole tree too") {
  const auto count = [](const ChangeSet& set) { return set.root().deletions(); };
  ChangeSet set;
  for (int i = 0; i < 10; ++i) set.mark(fmt::format("d/{}", i), dirt::gone);
  CHECK(count(set) == 10);
  set.mark("d", dirt::gone);
  CHECK(count(set) == 11);
  CHECK(set.size() == 1);
  set.mark("d", dirt::gone);  // told twice, lost once
  CHECK(count(set) == 11);

  ChangeSet later;
  later.mark("e/f", dirt::gone);
  later.mark("e", dirt::gone);
  set.merge(later);
  CHECK(count(set) == 13);

  ChangeSet passing;
  passing.mark("t", dirt::created);
  passing.mark("t/f", dirt::created | dirt::content);
  passing.mark("t/f", dirt::gone);
  passing.mark("t", dirt::gone);
  passing.mark_moved("old", "new");
  CHECK(count(passing) == 0);
}

TEST_CASE("memory is bounded: the fullest directories are marked whole") {
  ChangeSet set(1000);
  set.mark("few/x", dirt::attributes);
  for (int i = 0; i < 5000; ++i) set.mark(fmt::format("many/{}", i), dirt::content);
  CHECK(set.dirt_of("few/x") == dirt::attributes);
  CHECK(set.dirt_of("many") == (dirt::subtree | dirt::content));
  CHECK(set.size() == 2);
  for (int i = 0; i < 5000; ++i) set.mark(fmt::format("d{}/x", i), dirt::content);
  CHECK(set.size() <= 1001);
}

TEST_CASE("names that came and went leave no memory behind") {
  ChangeSet set;
  for (int round = 0; round < 50; ++round) {
    for (int i = 0; i < 2000; ++i)
      set.mark(fmt::format("d/a-rather-long-name-{}", round * 2000 + i), dirt::content);
    set.mark("d", dirt::gone);
  }
  CHECK(set.size() == 1);
  CHECK(set.memory() < 1'000'000);
}

TEST_CASE("a directory that takes the place of one with changes below replaces what the target has there") {
  ChangeSet set;
  set.mark("d/c", dirt::gone);
  set.mark("d", dirt::created | dirt::content | dirt::subtree);
  CHECK(told(set) == "d:c+-*");

  ChangeSet moved;
  moved.mark("d/c", dirt::gone);
  moved.mark_moved("e", "d");
  CHECK((moved.dirt_of("d") & dirt::gone) != 0);
}

TEST_CASE("a doubtful birth makes what swallows it doubtful") {
  ChangeSet set;
  set.mark("a", dirt::created | dirt::subtree);
  ChangeSet later;
  later.mark("a/b", dirt::created | dirt::subtree);
  later.mark("file", dirt::content);
  later.doubt_births();
  CHECK(later.dirt_of("file") == dirt::content);
  set.merge(later);
  CHECK((set.dirt_of("a") & dirt::doubtful) != 0);
}

TEST_CASE("what is renamed over a doubtful name does not find it free") {
  ChangeSet set;
  set.mark("new", dirt::created);
  set.doubt_births();
  set.mark_moved("old", "new");
  CHECK((set.dirt_of("new") & dirt::gone) != 0);
}
