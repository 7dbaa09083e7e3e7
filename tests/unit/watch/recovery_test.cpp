// SPDX-License-Identifier: GPL-2.0-or-later
#include "watch/recovery.hpp"

#include <doctest/doctest.h>

using namespace notify_core;
using watch::Found;
using watch::NodeId;
using watch::Recovery;
using watch::WatchTree;
using Verdict = Recovery::Verdict;

namespace {

// t/ with a newborn directory d (watch 2), in which another directory e (watch 3) was found.
struct Newborn {
  WatchTree tree;
  NodeId root = tree.add_root("t/", 1);
  NodeId d = tree.add_child(root, "d", 2);
  NodeId e = tree.add_child(d, "e", 3);
  Recovery recovery{tree};
  std::vector<Found> due;

  Verdict heard(NodeId node, std::string_view name, EventMask mask) {
    due.clear();
    return recovery.heard(node, name, mask, due);
  }
  std::string names() const {
    std::string all;
    for (const Found& found : due) all.append(found.name).append(" ");
    return all;
  }
};

}  // namespace

TEST_CASE("what only the listing shows is reported when the queue is empty, parents first") {
  Newborn n;
  n.recovery.add(2, "e", true);
  n.recovery.add(3, "f", false);
  CHECK(n.recovery.waits());
  n.recovery.drained(n.recovery.mark(), n.due);
  CHECK_FALSE(n.recovery.waits());
  CHECK(n.names() == "e f ");
  CHECK(n.due[0].directory);
  n.due.clear();
  n.recovery.drained(n.recovery.mark(), n.due);
  CHECK(n.due.empty());
}

TEST_CASE("a CREATE that the kernel queued takes the place of the recovered one") {
  Newborn n;
  n.recovery.add(2, "f", false);
  CHECK(n.heard(n.d, "f", mask::create) == Verdict::report);
  CHECK(n.due.empty());
  n.recovery.drained(n.recovery.mark(), n.due);
  CHECK(n.due.empty());
}

TEST_CASE("so does a MOVED_TO") {
  Newborn n;
  n.recovery.add(2, "f", false);
  CHECK(n.heard(n.d, "f", mask::moved_to) == Verdict::report);
  n.recovery.drained(n.recovery.mark(), n.due);
  CHECK(n.due.empty());
}

TEST_CASE("another event of an entry brings its creation first") {
  Newborn n;
  n.recovery.add(2, "f", false);
  CHECK(n.heard(n.d, "f", mask::modify) == Verdict::report);
  CHECK(n.names() == "f ");
  CHECK(n.heard(n.d, "f", mask::close_write) == Verdict::report);
  CHECK(n.due.empty());
}

TEST_CASE("an event below brings the directories above it first") {
  Newborn n;
  n.recovery.add(2, "e", true);
  n.recovery.add(3, "f", false);
  CHECK(n.heard(n.e, "f", mask::modify) == Verdict::report);
  CHECK(n.names() == "e f ");
}

TEST_CASE("a CREATE queued late is not said a second time, but a new one is") {
  Newborn n;
  n.recovery.add(2, "f", false);
  n.recovery.drained(n.recovery.mark(), n.due);
  CHECK(n.heard(n.d, "f", mask::create) == Verdict::already_reported);
  CHECK(n.heard(n.d, "f", mask::create) == Verdict::report);
}

TEST_CASE("a deleted entry may be made anew") {
  Newborn n;
  n.recovery.add(2, "f", false);
  CHECK(n.heard(n.d, "f", mask::remove) == Verdict::report);
  CHECK(n.names() == "f ");
  CHECK(n.heard(n.d, "f", mask::create) == Verdict::report);
  CHECK(n.due.empty());
  n.recovery.drained(n.recovery.mark(), n.due);
  CHECK(n.due.empty());
}

TEST_CASE("what was listed after the queue was read waits for the next read") {
  Newborn n;
  n.recovery.add(2, "before", false);
  const std::uint64_t mark = n.recovery.mark();
  n.recovery.add(2, "after", false);
  n.recovery.drained(mark, n.due);
  CHECK(n.names() == "before ");
  CHECK(n.heard(n.d, "after", mask::create) == Verdict::report);
  CHECK(n.due.empty());
}

TEST_CASE("memory is given back, but not before a late CREATE has had its time") {
  Newborn n;
  n.recovery.add(2, "f", false);
  n.recovery.drained(n.recovery.mark(), n.due);
  n.recovery.forget_old();
  CHECK(n.heard(n.d, "f", mask::create) == Verdict::already_reported);
  n.recovery.add(2, "g", false);
  n.recovery.drained(n.recovery.mark(), n.due);
  n.recovery.forget_old();
  CHECK_FALSE(n.recovery.idle());
  n.recovery.forget_old();
  CHECK(n.recovery.idle());
  CHECK(n.heard(n.d, "g", mask::create) == Verdict::report);
}

TEST_CASE("what was reported and then came along with its directory is reported under the new path") {
  Newborn n;
  n.recovery.add(3, "f", false);
  n.recovery.drained(n.recovery.mark(), n.due);
  n.due.clear();
  n.recovery.add(3, "f", false);
  n.recovery.drained(n.recovery.mark(), n.due);
  CHECK(n.names() == "f ");
}

TEST_CASE("an event of a directory that was replaced says nothing of what replaced it") {
  Newborn n;
  n.tree.set_replaced(n.e);
  n.recovery.add(2, "e", true);
  CHECK(n.heard(n.e, "f", mask::modify) == Verdict::report);
  CHECK(n.due.empty());
}

TEST_CASE("an event speaks of what stood there before, if that was of another kind than what was listed") {
  Newborn n;
  n.recovery.add(2, "x", false);
  CHECK(n.heard(n.d, "x", mask::moved_from | mask::is_directory) == Verdict::report);
  REQUIRE(n.due.size() == 1);
  CHECK(n.due[0].directory);
  CHECK(n.heard(n.d, "x", mask::create) == Verdict::report);
  CHECK(n.due.empty());
}

TEST_CASE("of a directory that left the tree nothing more is reported, also if it comes back") {
  Newborn n;
  n.recovery.add(2, "e", true);
  n.recovery.add(3, "f", false);
  n.recovery.add(3, "told", false);
  n.heard(n.e, "told", mask::create);
  CHECK(n.recovery.forget(n.e) == std::unordered_set<int>{3});
  CHECK(n.recovery.forget(n.e).empty());
  n.recovery.drained(n.recovery.mark(), n.due);
  CHECK(n.names() == "e ");
}

TEST_CASE("what leaves takes along what was found in it, and nothing else") {
  Newborn n;
  n.tree.add_child(n.e, "deep", 4);
  n.recovery.add(1, "d", true);
  for (const char* const name : {"a", "b", "c"}) n.recovery.add(3, name, false);
  n.recovery.add(4, "inside", false);
  n.recovery.add(2, "beside", false);
  n.recovery.add(3, "b", false);                              // once more
  CHECK(n.heard(n.e, "c", mask::create) == Verdict::report);  // the last one added but one
  CHECK(n.recovery.forget(n.e) == std::unordered_set<int>{3, 4});
  CHECK(n.recovery.forget(n.e).empty());
  n.recovery.add(3, "later", false);
  n.due.clear();
  n.recovery.drained(n.recovery.mark(), n.due);
  CHECK(n.names() == "beside later ");
  n.recovery.forget_old();
  n.recovery.forget_old();
  CHECK(n.recovery.idle());
  CHECK(n.recovery.forget(n.d).empty());
}

TEST_CASE("many directories leave one after the other while many entries are remembered") {
  WatchTree tree;
  Recovery recovery{tree};
  const NodeId root = tree.add_root("t/", 1);
  constexpr int many = 30'000;  // seconds, were all entries looked at for each of them
  for (int i = 0; i < many; ++i) recovery.add(1, std::to_string(i), true);
  std::size_t open = 0;
  for (int i = 0; i < many; ++i) {
    const NodeId node = tree.add_child(root, std::to_string(i), 2 + i);
    recovery.add(2 + i, "in it", false);
    open += recovery.forget(node).size();
    tree.remove(node);
  }
  CHECK(open == many);
}
