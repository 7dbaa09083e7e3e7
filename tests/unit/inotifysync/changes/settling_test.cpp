// SPDX-License-Identifier: GPL-2.0-or-later
#include "inotifysync/changes/settling.hpp"

#include <doctest/doctest.h>

using namespace inotifysync;
using namespace std::chrono_literals;

namespace {

using Paths = std::vector<std::string>;
const Settling::Time start{};

Settling settling() {
  return Settling({.settle = 2s, .max_delay = 10s, .most = 2});
}

}  // namespace

TEST_CASE("a file goes when it was left alone for the settle time") {
  auto files = settling();
  CHECK_FALSE(files.next_due());
  CHECK(files.written("a", start));
  CHECK(files.written("a", start + 1s));
  CHECK(files.next_due() == start + 2s);
  CHECK(files.take_due(start + 2s).empty());
  CHECK(files.next_due() == start + 3s);
  CHECK(files.take_due(start + 3s) == Paths{"a"});
  CHECK_FALSE(files.next_due());
}

TEST_CASE("a file written without a pause goes once every maximum delay") {
  auto files = settling();
  for (auto at = 0s; at < 10s; at += 1s) {
    CHECK(files.written("log", start + at));
    CHECK(files.take_due(start + at).empty());
  }
  CHECK(files.take_due(start + 10s) == Paths{"log"});
  CHECK(files.written("log", start + 10s));
  CHECK(files.take_due(start + 11s).empty());
}

TEST_CASE("a closed file is not due any more") {
  auto files = settling();
  files.written("a", start);
  CHECK(files.holds("a"));
  CHECK(files.released("a"));
  CHECK_FALSE(files.released("a"));
  CHECK_FALSE(files.holds("a"));
  CHECK_FALSE(files.next_due());
  CHECK(files.take_due(start + 100s).empty());
}

TEST_CASE("what does not fit goes at once") {
  auto files = settling();
  CHECK(files.written("a", start));
  CHECK(files.written("b", start));
  CHECK_FALSE(files.written("c", start));
  CHECK(files.written("a", start + 1s));
  CHECK(files.take_all().size() == 2);
  CHECK(files.size() == 0);
}

TEST_CASE("below a renamed directory, files are kept back under their new names") {
  Settling files({.settle = 2s, .max_delay = 10s});
  files.written("dir/a", start);
  files.written("dirt", start);
  files.moved_below("dir", "new/dir");
  CHECK(files.holds("new/dir/a"));
  CHECK(files.holds("dirt"));
  CHECK_FALSE(files.holds("dir/a"));
  CHECK(files.take_due(start + 2s).size() == 2);
}
