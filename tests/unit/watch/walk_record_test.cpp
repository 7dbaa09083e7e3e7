// SPDX-License-Identifier: GPL-2.0-or-later
#include "watch/walk_record.hpp"

#include <doctest/doctest.h>

#include <set>
#include <string>
#include <vector>

using namespace notify_core;
using watch::WalkRecord;

namespace {

// Writes down what it is told; knows some watches already.
class Hearer : public watch::WalkSink {
 public:
  explicit Hearer(std::set<int> known = {}) : known_(std::move(known)) {}

  bool begin(std::string_view name, int watch) override {
    const bool known = known_.contains(watch);
    heard.push_back((known ? "known " : "begin ") + std::string(name) + " " + std::to_string(watch));
    return !known;
  }
  void end(bool leaf) override { heard.push_back(leaf ? "leaf" : "end"); }
  void missed(int watch) override { heard.push_back("missed " + std::to_string(watch)); }
  void failed(Error error) override { heard.push_back("failed " + error.path); }

  std::vector<std::string> heard;

 private:
  std::set<int> known_;
};

using Heard = std::vector<std::string>;

}  // namespace

TEST_CASE("what was recorded is said again as it was") {
  WalkRecord record(9);
  const std::string longest(255, 'n');
  CHECK(record.begin("a", 10));
  CHECK(record.begin(longest, 11));
  record.end(true);
  record.failed(Error{13, "open", "t/a/b/", {}});
  record.missed(12);
  record.end(false);
  Hearer hearer;
  record.replay(hearer);
  CHECK(hearer.heard ==
        Heard{"begin a 10", "begin " + longest + " 11", "leaf", "failed t/a/b/", "missed 12", "end"});
}

TEST_CASE("a watch from before the walk is said, and is not entered") {
  WalkRecord record(9);
  CHECK_FALSE(record.begin("operand", 9));
  CHECK(record.begin("b", 10));
  record.end(true);
  Hearer hearer({9});
  record.replay(hearer);
  CHECK(hearer.heard == Heard{"known operand 9", "begin b 10", "leaf"});
}

TEST_CASE("a watch from before the walk that nobody knows any more begins and ends") {
  WalkRecord record(9);
  CHECK_FALSE(record.begin("operand", 9));
  Hearer hearer;
  record.replay(hearer);
  CHECK(hearer.heard == Heard{"begin operand 9", "end"});
}

TEST_CASE("what another thread has met meanwhile is passed over with all that is in it") {
  WalkRecord record(9);
  record.begin("moved", 10);
  record.begin("in it", 11);
  record.end(false);
  record.end(false);
  record.begin("b", 12);
  record.end(false);
  Hearer hearer({10});
  record.replay(hearer);
  CHECK(hearer.heard == Heard{"known moved 10", "begin b 12", "end"});
}
