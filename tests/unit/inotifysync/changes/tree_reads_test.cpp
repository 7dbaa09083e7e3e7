// SPDX-License-Identifier: GPL-2.0-or-later
// What was born while a tree was read is doubted until nothing of that time can be told any more.
#include "inotifysync/changes/tree_reads.hpp"

#include <doctest/doctest.h>

using namespace inotifysync;
using namespace std::chrono_literals;

namespace {
constexpr bool reading = true, told = true;
const TreeReads::Time start{1000s};
}  // namespace

TEST_CASE("nothing is doubted where no tree was read") {
  TreeReads reads;
  CHECK_FALSE(reads.doubt(!reading, told, start));
  CHECK_FALSE(reads.doubt(!reading, !told, start + 1s));
}

TEST_CASE("what is told while a tree is read is doubted, and for a moment after") {
  TreeReads reads;
  CHECK(reads.doubt(reading, told, start));
  CHECK(reads.doubt(!reading, !told, start + 10s));  // just ended, however long it took
  CHECK(reads.doubt(!reading, told, start + 10s + 50ms));
  CHECK_FALSE(reads.doubt(!reading, told, start + 11s));
}

TEST_CASE("a queue that has not been empty since may still tell of that time") {
  TreeReads reads;
  reads.doubt(reading, told, start);
  CHECK(reads.doubt(!reading, told, start + 1s));
  CHECK(reads.doubt(!reading, told, start + 5s));
  reads.doubt(!reading, !told, start + 6s);
  CHECK_FALSE(reads.doubt(!reading, told, start + 7s));
}

TEST_CASE("only what lies in a tree that is read is doubted, and no longer than that") {
  TreeReads reads;
  reads.begin({"a/b"});
  reads.doubt(reading, told, start);
  CHECK(reads.covers("a/b"));
  CHECK(reads.covers("a/b/c/d"));
  CHECK_FALSE(reads.covers("a"));
  CHECK_FALSE(reads.covers("a/bc"));
  reads.begin({""});
  CHECK(reads.covers("a/bc"));
  reads.doubt(!reading, !told, start + 1s);
  reads.doubt(!reading, told, start + 2s);
  CHECK_FALSE(reads.covers("a/b"));
}
