// SPDX-License-Identifier: GPL-2.0-or-later
// A local target that is looked at before anything is done there.
#include "worker_fixture.hpp"

using namespace worker_fixture;

namespace {

using Seen = std::function<void(const TargetFacts&)>;

struct FakeLook : TargetLook {
  explicit FakeLook(std::shared_ptr<Seen> waiting) : seen(std::move(waiting)) {}
  void ask(Seen to) override { *seen = std::move(to); }
  std::shared_ptr<Seen> seen;
};

struct Local : Fixture {
  explicit Local(const WorkerOptions& options = {}) : Local(options, std::make_shared<Seen>()) {}
  Local(const WorkerOptions& options, std::shared_ptr<Seen> waiting)
      : Fixture(options, std::make_unique<FakeLook>(waiting)), seen(std::move(waiting)) {}
  bool is_asked() const { return static_cast<bool>(*seen); }
  void answer(const TargetFacts& facts) {
    REQUIRE(is_asked());
    const Seen to = std::exchange(*seen, nullptr);
    to(facts);
  }
  std::shared_ptr<Seen> seen;
};

TargetFacts facts_of(std::uint64_t device, std::uint64_t inode, std::uint64_t mount,
                     std::vector<std::uint64_t> mounts) {
  TargetFacts facts;
  facts.is_there = true;
  facts.device = device;
  facts.inode = inode;
  facts.mount = mount;
  facts.mounts = std::move(mounts);
  return facts;
}

TargetFacts directory(std::uint64_t inode) {
  return facts_of(1, inode, 1, {1});
}

TargetFacts misplaced() {
  TargetFacts facts = directory(1);
  facts.fault = "'copy' holds its own source 'source'";
  return facts;
}

// Brings the target up to date.
void settle(Local& f) {
  f.worker->want_full_pass();
  f.answer(directory(7));
  f.child().exit(0);
  REQUIRE(f.worker->up_to_date());
}

}  // namespace

TEST_CASE("nothing is started before it is known what is there") {
  Local f;
  f.worker->want_full_pass();
  CHECK(f.children.count == 0);
  f.answer(directory(7));
  CHECK(f.child().has("--files-from=-") == false);
}

TEST_CASE("it is looked at every now and then, and before each batch") {
  Local f;
  settle(f);
  f.time.pass(5s);
  f.answer(directory(7));
  CHECK_FALSE(f.is_asked());
  f.change("a");
  REQUIRE(f.is_asked());
  CHECK_FALSE(f.child().input);  // the waiting one
  f.answer(directory(7));
  f.confirm({"a"});
  CHECK(f.delivered == 1);
  CHECK_FALSE(f.is_asked());
}

TEST_CASE("another directory in its place is compared as a whole") {
  Local f;
  settle(f);
  f.time.pass(5s);
  f.answer(directory(8));
  if (f.child().has("--files-from=-")) f.child().exit(0);  // the waiting one
  if (f.is_asked()) f.answer(directory(8));
  f.child().exit(0);
  CHECK(f.full_passes == 2);
}

TEST_CASE("where it must not lie nothing is sent, what runs is ended, and all is compared afterwards") {
  Local f;
  settle(f);
  f.change("a");
  f.answer(directory(7));
  REQUIRE(f.child().input);
  f.time.pass(5s);
  f.answer(misplaced());
  CHECK(f.child().told_to_end);
  f.child().exit(20);
  CHECK(f.worker->state() == TargetWorker::State::held);
  CHECK(f.children.running.empty());
  REQUIRE(f.troubles.size() == 1);
  CHECK(f.troubles[0] == "'copy' holds its own source 'source': nothing is sent there");
  for (int look = 0; look < 100; ++look) {
    f.time.pass(5s);
    f.answer(misplaced());
  }
  f.worker->retry_now();
  f.answer(misplaced());
  CHECK(f.children.running.empty());
  f.time.pass(5s);
  f.answer(directory(7));
  CHECK(f.child().has("--files-from=-") == false);
  f.child().exit(0);
  CHECK(f.full_passes == 2);
  CHECK(f.recovered == 1);
}

TEST_CASE("a filesystem that hangs: nothing is started, it is said, and all goes on when it answers") {
  WorkerOptions options;
  options.timeout = 20s;
  Local f(options);
  f.worker->want_full_pass();
  f.time.pass(19s);
  CHECK(f.troubles.empty());
  f.time.pass(6s);
  REQUIRE(f.troubles.size() >= 1);
  CHECK(f.troubles[0].find("does its filesystem hang?") != std::string::npos);
  CHECK(f.worker->full_pass_failed());
  CHECK(f.worker->state() == TargetWorker::State::held);
  f.time.pass(1000s);
  CHECK(f.children.count == 0);
  f.answer(directory(7));
  f.child().exit(0);
  CHECK(f.worker->up_to_date());
}

TEST_CASE("what is unmounted stays so until it is back, or somebody says that it is right") {
  for (const bool is_right : {false, true}) {
    Local f;
    TargetFacts on_disk = facts_of(2, 7, 2, {1, 2});
    f.worker->want_full_pass();
    f.answer(on_disk);
    f.child().exit(0);
    f.time.pass(5s);
    f.answer(directory(3));
    f.time.pass(2s);  // the waiting connection goes
    f.change("a");
    CHECK(f.children.running.empty());
    if (is_right) {
      f.worker->retry_now();
      f.answer(directory(3));
    } else {
      f.time.pass(5s);
      on_disk.mount = 3;
      on_disk.mounts = {1, 3};
      f.answer(on_disk);
      if (f.is_asked()) f.answer(on_disk);
    }
    f.child().exit(0);
    CHECK(f.full_passes == 2);
  }
}
