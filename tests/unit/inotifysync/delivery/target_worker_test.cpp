// SPDX-License-Identifier: GPL-2.0-or-later
// The state machine of one target.
#include <doctest/doctest.h>

#include "worker_fixture.hpp"

using namespace worker_fixture;

TEST_CASE("an idle target keeps a connection waiting, and the next change goes through it") {
  Fixture f;
  f.worker->changed();
  CHECK_FALSE(f.child().input);
  CHECK(f.child().has("--files-from=-"));
  CHECK(f.worker->state() == TargetWorker::State::idle);

  f.change("a");
  CHECK(f.children.count == 1);
  REQUIRE(f.child().input);
  CHECK(f.child().input->find("a") != std::string::npos);
  CHECK(f.worker->state() == TargetWorker::State::running);

  f.confirm({"a"});
  CHECK(f.delivered == 1);
  CHECK(f.children.count == 2);  // renewed
  CHECK_FALSE(f.child().input);
}

TEST_CASE("what changes during a run goes in the next one, all at once") {
  Fixture f;
  f.worker->changed();
  f.change("a");
  f.change("b");
  f.change("c");
  CHECK(f.children.count == 1);
  f.confirm({"a"});
  CHECK(f.children.count == 2);
  REQUIRE(f.child().input);
  CHECK(f.child().input->find("b") != std::string::npos);
  CHECK(f.child().input->find("c") != std::string::npos);
  f.confirm({"b", "c"});
  CHECK(f.worker->queue_length() == 0);
}

TEST_CASE("the waiting connection deletes where it is safe") {
  WorkerOptions options;
  options.deletion = Deletion::missing_args;
  options.warm_deletes = true;
  Fixture f(options);
  f.worker->changed();
  CHECK(f.child().has("--delete-missing-args"));
  f.change("gone", dirt::gone);
  CHECK(f.children.count == 1);
  REQUIRE(f.child().input);
  CHECK(f.child().input->find("gone") != std::string::npos);
}

TEST_CASE("the waiting connection deletes what was counted, where there is a limit") {
  WorkerOptions options;
  options.deletion = Deletion::missing_args;
  options.warm_deletes = true;
  options.max_delete = 3;
  options.rsync.max_delete = 3;
  Fixture f(options);
  f.worker->changed();
  CHECK(f.child().has("--max-delete=3"));
  f.change("gone", dirt::gone);
  CHECK(f.children.count == 1);
  f.child().exit(0, "*deleting   0 gone\n");
  ChangeSet set;
  set.mark_moved("gone1", "kept");
  f.views.add(std::move(set));
  f.worker->changed();
  CHECK(f.child().input == "");  // let go
  f.child().exit(0);
  CHECK_FALSE(f.child().has("--max-delete=3"));
}

TEST_CASE("what deletes, or is named from the source, never goes through the waiting connection") {
  WorkerOptions options;
  options.deletion = Deletion::missing_args;
  for (const bool from_root : {true, false}) {
    Fixture f(options);
    f.from_root = from_root;
    f.worker->changed();
    CHECK_FALSE(f.child().has("--delete-missing-args"));
    f.change(from_root ? "gone" : "kept", from_root ? dirt::gone : dirt::content);
    CHECK(f.child().input == "");
    f.child().exit(0);
    REQUIRE(f.child().input);
    CHECK(f.child().input->size() > 0);
    CHECK(f.child().has("--delete-missing-args") == from_root);
  }
}

TEST_CASE("a full pass takes no waiting connection, and the spare one ends before it starts") {
  Fixture f;
  f.worker->changed();
  f.worker->want_full_pass();
  CHECK(f.children.count == 1);
  REQUIRE(f.child().input);
  CHECK(f.child().input->empty());
  f.child().exit(0);
  CHECK(f.children.count == 2);
  CHECK_FALSE(f.child().has("--files-from=-"));
  CHECK_FALSE(f.worker->up_to_date());
  f.child().exit(0);
  CHECK(f.full_passes == 1);
  CHECK(f.worker->up_to_date());
}

TEST_CASE("a target that cannot be reached is tried again, and gets everything it lacks") {
  Fixture f;
  f.change("a");
  f.child().exit(10, "", refused);
  CHECK(f.worker->state() == TargetWorker::State::waiting);
  CHECK(f.children.running.empty());
  REQUIRE(f.troubles.size() == 1);
  CHECK(f.troubles[0].find("Connection refused") != std::string::npos);
  f.change("b");
  CHECK(f.children.running.empty());
  CHECK(f.worker->queue_length() == 2);

  f.time.pass(2s);
  REQUIRE(f.child().input);
  CHECK(f.child().input->find("a") != std::string::npos);
  CHECK(f.child().input->find("b") != std::string::npos);
  f.confirm({"a", "b"});
  CHECK(f.recovered == 1);
  CHECK(f.worker->status().failed_runs == 1);
}

TEST_CASE("a stale waiting connection costs one retry at once") {
  Fixture f;
  f.worker->changed();
  f.time.pass(20s);
  f.change("a");
  f.child().exit(12, "",
                 "rsync error: error in rsync protocol data stream (code 12) at io.c(232) [sender=3.5.0]\n");
  CHECK(f.worker->state() == TargetWorker::State::running);
  CHECK(f.troubles.empty());
  REQUIRE(f.child().input);
  f.confirm({"a"});
  f.time.pass(2s);
  f.confirm({"a"});  // once more, for what the old one may have written late
  f.time.pass(10s);  // half of what was too old
  CHECK(f.child().input == "");
}

TEST_CASE("what a cut connection may still write late is looked at once more, when all is well again") {
  Fixture f;
  f.worker->changed();
  f.time.pass(10s);
  f.change("a");
  f.child().exit(12, "", "rsync: connection unexpectedly closed (8 bytes received so far) [sender]\n");
  REQUIRE(f.child().input);
  f.child().exit(10, "", refused);
  f.time.pass(200ms);
  REQUIRE(f.child().input);
  f.confirm({"a"});
  CHECK(f.worker->queue_length() == 1);
  CHECK_FALSE(f.child().input);
  f.time.pass(2s);
  REQUIRE(f.child().input);
  CHECK(f.child().input->find("a") != std::string::npos);
  f.confirm({"a"});
  CHECK(f.worker->queue_length() == 0);
  f.time.pass(3s);
  CHECK(f.delivered == 2);
  CHECK_FALSE(f.child().input);
}

TEST_CASE("an idle target that goes away is noticed, and back") {
  Fixture f;
  f.worker->changed();
  f.child().exit(10, "", refused);
  CHECK(f.worker->state() == TargetWorker::State::waiting);
  f.time.pass(2s);
  CHECK(f.worker->state() == TargetWorker::State::idle);
  CHECK_FALSE(f.child().input);
}

TEST_CASE("a path that fails is tried again later, keeps no other waiting, and is told of the second time") {
  constexpr auto denied =
      "rsync: [sender] send_files failed to open \"/source/a\": Permission denied (13)\n"
      "rsync error: some files/attrs were not transferred (see previous errors) (code 23) at main.c(1338) "
      "[sender=3.5.0]\n";
  Fixture f;
  f.change("a");
  f.child().exit(23, "", denied);
  CHECK(f.worker->state() == TargetWorker::State::idle);
  CHECK(f.troubles.empty());
  f.change("b");
  CHECK(f.worker->state() == TargetWorker::State::running);
  CHECK(f.child().input->find("/a") == std::string::npos);
  f.confirm({"b"});
  f.time.pass(5s);
  REQUIRE(f.child().input);
  CHECK(f.child().input->find("/a") != std::string::npos);
  f.child().exit(23, "", denied);
  REQUIRE(f.troubles.size() == 1);
  CHECK(f.troubles[0].find("Permission denied") != std::string::npos);
}

TEST_CASE("what does not fit keeps no other waiting, and is tried again") {
  constexpr auto no_room =
      "rsync: [receiver] write failed on \"/big\" (in content): No space left on device (28)\n"
      "rsync error: error in file IO (code 11) at receiver.c(657) [receiver=3.5.0]\n";
  WorkerOptions options;
  options.deletion = Deletion::missing_args;
  Fixture f(options);
  ChangeSet set;
  set.mark("big", dirt::content);
  set.mark("gone", dirt::gone);
  f.views.add(std::move(set));
  f.worker->changed();
  f.child().exit(11, "", no_room);
  REQUIRE(f.child().input);
  CHECK(f.child().input->find("gone") != std::string::npos);
  CHECK(f.child().input->find("big") == std::string::npos);
  f.child().exit(0, "*deleting   0 gone\n");
  CHECK(f.recovered == 0);
  CHECK_FALSE(f.worker->up_to_date());
  f.time.pass(2s);
  f.confirm({"big"});
  CHECK(f.recovered == 1);
}

TEST_CASE("a full pass that finds no room keeps no change waiting") {
  Fixture f;
  f.worker->want_full_pass();
  f.child().exit(11, "",
                 "rsync: [receiver] write failed on \"/big\" (in content): No space left on device (28)\n");
  f.change("small");
  f.confirm({"small"});
  f.time.pass(2s);
  f.child().exit(0);  // the connection that waited
  CHECK_FALSE(f.child().has("--files-from=-"));
  f.child().exit(0);
  CHECK(f.full_passes == 1);
  CHECK(f.recovered == 1);
}

TEST_CASE("a full pass in trouble that others want, too, is made once") {
  Fixture f;
  f.worker->want_full_pass();
  f.child().exit(23, "total size is 10  speedup is 1.00\n",
                 "rsync: [sender] send_files failed to open \"/source/a\": Permission denied (13)\n");
  CHECK_FALSE(f.worker->has_done_all());
  f.worker->want_full_pass();
  SUBCASE("as soon as it may start") {}
  SUBCASE("when its own turn has come before that") {
    f.worker->retry_now();
  }
  f.child().exit(0);  // the connection that waited
  CHECK_FALSE(f.child().has("--files-from=-"));
  f.child().exit(0, "total size is 10  speedup is 1.00\n");
  CHECK(f.worker->has_done_all());
  CHECK(f.child().has("--files-from=-"));
}

TEST_CASE("nothing starts while the source is not trusted, and all starts when it is back") {
  Fixture f;
  f.worker->changed();
  f.worker->pause();
  f.child().exit(0);
  f.change("gone", dirt::gone);
  CHECK(f.children.running.empty());
  f.worker->resume();
  CHECK(f.child().input);
}

TEST_CASE("a full pass over an empty source deletes nothing") {
  WorkerOptions options;
  options.deletion = Deletion::missing_args;
  Fixture f(options);
  f.source_empty = true;
  f.worker->want_full_pass();
  CHECK(f.child().has("--max-delete=0"));
}

TEST_CASE("once, an empty source tells whether something should have been deleted, and deletes nothing") {
  WorkerOptions options;
  options.deletion = Deletion::missing_args;
  options.once = true;
  options.warm = false;
  for (const int status : {0, 25}) {
    Fixture f(options);
    f.source_empty = true;
    f.worker->want_full_pass();
    CHECK(f.child().has("--delete"));
    CHECK(f.child().has("--max-delete=0"));
    f.child().exit(status);
    CHECK(f.worker->has_done_all());
    CHECK(f.worker->up_to_date() == (status == 0));
    CHECK(f.worker->undeleted().empty() == (status == 0));
    CHECK(f.troubles.empty());
  }
}

TEST_CASE("--max-delete holds deletions until a person says so, and nothing else") {
  WorkerOptions options;
  options.deletion = Deletion::missing_args;
  options.max_delete = 1;
  Fixture f(options);
  f.worker->skip_first_pass();
  ChangeSet set;
  set.mark("gone1", dirt::gone);
  set.mark("gone2", dirt::gone);
  set.mark("kept", dirt::content);
  f.views.add(std::move(set));
  f.worker->changed();
  REQUIRE(f.troubles.size() == 1);
  REQUIRE(f.child().input);
  CHECK(f.child().input->find("gone") == std::string::npos);
  CHECK(f.child().input->find("kept") != std::string::npos);
  f.confirm({"kept"});
  CHECK(f.worker->status().state == "held");
  CHECK_FALSE(f.worker->status().up_to_date);
  CHECK(f.worker->has_done_all());
}

TEST_CASE("a limit of none is a limit") {
  WorkerOptions options;
  options.deletion = Deletion::missing_args;
  options.max_delete = 0;
  Fixture f(options);
  f.change("gone", dirt::gone);
  CHECK(f.troubles.size() == 1);
}

TEST_CASE("what a person allowed is deleted however often the full pass breaks off") {
  WorkerOptions options;
  options.deletion = Deletion::missing_args;
  options.max_delete = 1;
  options.rsync.max_delete = 1;
  Fixture f(options);
  f.remove({"gone1", "gone2"});
  f.confirm({});
  f.worker->retry_now();
  for (int attempt = 0; attempt < 2; ++attempt) {
    f.time.pass(2s);
    while (f.child().input == "" && f.child().has("--files-from=-")) f.child().exit(0);
    CHECK(f.child().has("--delete"));
    CHECK_FALSE(f.child().has("--max-delete=1"));
    if (attempt == 0) f.child().exit(10, "", refused);
  }
  f.child().exit(0);
  f.worker->want_full_pass();
  f.child().exit(0);  // the connection that waited
  CHECK(f.child().has("--max-delete=1"));
}

TEST_CASE("a rename that found no target is a rename still") {
  Fixture f;
  ChangeSet set;
  set.mark_moved("gone", "kept");
  f.views.add(std::move(set));
  f.worker->changed();
  f.child().exit(10, "", refused);
  std::string from;
  const auto left = f.views.take(0);
  REQUIRE(left);
  left->for_each([&](std::string_view path, Dirt, std::string_view moved_from) {
    if (path == "kept") from = moved_from;
  });
  CHECK(from == "gone");
}

TEST_CASE("a connection that is dropped early is no trouble, and not renewed before it is needed") {
  Fixture f;
  f.worker->changed();
  f.time.pass(3s);
  f.child().exit(12, "",
                 "rsync error: error in rsync protocol data stream (code 12) at io.c(232) [sender=3.5.0]\n");
  CHECK(f.children.running.empty());
  CHECK(f.troubles.empty());
  CHECK(f.worker->state() == TargetWorker::State::idle);
  f.change("a");
  f.confirm({"a"});
  CHECK_FALSE(f.child().input);
}

TEST_CASE("stopping lets the running batch end and starts nothing else") {
  Fixture f;
  f.change("a");
  f.change("b");
  f.worker->stop();
  CHECK_FALSE(f.worker->at_rest());
  f.confirm({"a"});
  CHECK(f.worker->at_rest());
  CHECK(f.children.running.empty());
  CHECK(f.worker->queue_length() == 1);
}
