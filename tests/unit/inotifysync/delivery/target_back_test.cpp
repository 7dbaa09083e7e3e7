// SPDX-License-Identifier: GPL-2.0-or-later
// A target that was away, and an rsync that does nothing: when is everything compared?
#include "worker_fixture.hpp"

using namespace worker_fixture;

namespace {

constexpr auto cut =
    "rsync error: error in rsync protocol data stream (code 12) at io.c(232) [sender=3.5.0]\n";

WorkerOptions looking_again() {
  WorkerOptions options;
  options.looks_again = options.names_all = true;
  return options;
}

// The waiting connection ends in good order, and the full pass that it made room for comes through.
void pass_in_full(Fixture& f) {
  if (f.child().has("--files-from=-")) f.child().exit(0);
  CHECK_FALSE(f.child().has("--files-from=-"));
  f.time.pass(1s);
  f.child().exit(0);
}

}  // namespace

TEST_CASE("a target that was out of reach is compared as a whole once it is back, and once only") {
  Fixture f(looking_again());
  f.change("a");
  f.child().exit(10, "", refused);
  f.time.pass(2s);
  f.confirm({"a"});
  CHECK(f.recovered == 1);
  CHECK(f.worker->up_to_date() == false);  // no full pass yet
  f.time.pass(3s);
  pass_in_full(f);
  CHECK(f.full_passes == 1);
  f.time.pass(200s);
  CHECK(f.full_passes == 1);
  CHECK(f.worker->up_to_date());
}

TEST_CASE("not where the user says when everything is compared") {
  Fixture f;
  f.change("a");
  f.child().exit(10, "", refused);
  f.time.pass(2s);
  f.confirm({"a"});
  f.time.pass(200s);
  REQUIRE(f.child().has("--files-from=-"));
}

TEST_CASE("waiting connections that are dropped again and again lead to fewer and fewer full passes") {
  Fixture f(looking_again());
  f.worker->changed();
  for (int drop = 0; drop < 1000; ++drop) {
    f.time.pass(3s);
    if (f.children.running.empty()) f.change("a");
    if (!f.child().has("--files-from=-") || f.child().input == "") {
      pass_in_full(f);
    } else if (f.child().input) {
      f.confirm({"a"});
    } else {
      f.child().exit(12, "", cut);
    }
  }
  CHECK(f.full_passes >= 5);
  CHECK(f.full_passes <= 12);
}

TEST_CASE("a target that has lost a directory is compared as a whole") {
  Fixture f(looking_again());
  f.change("a/b/file");
  f.child().exit(0, "cd+++++++++ 0 a/\ncd+++++++++ 0 a/b/\n<f+++++++++ 10 a/b/file\n");
  CHECK(f.full_passes == 0);
  f.time.pass(3s);
  pass_in_full(f);
  CHECK(f.full_passes == 1);
}

TEST_CASE("a target that has lost what was only changed is compared as a whole") {
  Fixture f(looking_again());
  f.change("page");
  f.child().exit(0, "<f+++++++++ 10 page\n");
  f.time.pass(3s);
  pass_in_full(f);
  CHECK(f.full_passes == 1);
}

TEST_CASE("an rsync that names nothing of what is there is not believed for long") {
  Fixture f(looking_again());
  f.source_holds_all = true;
  f.change("a");
  f.child().exit(0);
  CHECK(f.troubles.empty());  // it may have been gone for a moment
  f.child().exit(0);
  CHECK(f.troubles.empty());
  f.child().exit(0);
  REQUIRE(f.troubles.size() == 1);
  CHECK(f.troubles[0].find("is it rsync?") != std::string::npos);
  CHECK(f.worker->queue_length() == 1);
  f.time.pass(2s);
  f.confirm({"a"});
  CHECK(f.recovered == 1);
  f.time.pass(3s);
  pass_in_full(f);  // whatever else was said to be done
  CHECK(f.full_passes == 1);
}

TEST_CASE("a full pass that did not say that it is done is not believed") {
  WorkerOptions options = looking_again();
  options.own_options = false;
  Fixture f(options);
  f.worker->want_full_pass();
  for (int silent = 0; silent < 3; ++silent) f.child().exit(0);
  CHECK(f.full_passes == 0);
  REQUIRE(f.troubles.size() == 1);
  CHECK(f.troubles[0].find("is it rsync?") != std::string::npos);
  f.time.pass(2s);
  f.child().exit(0, "total size is 12  speedup is 1.00\n");
  CHECK(f.full_passes == 1);
  CHECK(f.recovered == 1);
  CHECK(f.worker->up_to_date());
}

TEST_CASE("what it said last is not asked for where it said more than is kept") {
  WorkerOptions options;
  options.own_options = false;
  Fixture f(options);
  f.worker->want_full_pass();
  f.child().exit(0, std::string(std::size_t{33} << 20, '\n'));
  CHECK(f.full_passes == 1);
}

TEST_CASE("where not all errors are kept, nothing is certain") {
  Fixture f;
  f.change("a");
  f.child().exit(23, "<f.st...... 10 a\n", std::string(std::size_t{33} << 20, '\n'));
  CHECK(f.worker->queue_length() == 1);
}

TEST_CASE("nothing is expected to be named that is gone, or that an option may hide") {
  for (const bool hidden : {false, true}) {
    WorkerOptions options = looking_again();
    options.names_all = !hidden;
    Fixture f(options);
    f.source_holds_all = hidden;
    f.change("a");
    f.child().exit(0);
    CHECK(f.worker->queue_length() == 0);
    CHECK(f.delivered == 1);
  }
}

TEST_CASE("where a name was another file's by the time it was sent, the others go again") {
  Fixture f;
  f.change("a");
  ChangeSet set;
  for (const char* name : {"link1", "link2"}) set.mark(name, dirt::attributes);
  f.views.add(std::move(set));
  f.confirm({"a"});
  f.vanished = "link2";
  f.confirm({"link1", "link2"});
  CHECK(f.worker->queue_length() == 1);
  f.vanished = "";
  f.time.pass(100ms);
  f.confirm({"link1"});
  CHECK(f.worker->queue_length() == 0);
}

TEST_CASE("so does what has lost a name while a whole tree went") {
  Fixture f;
  f.worker->want_full_pass();
  f.names_of_losers = {"link1"};
  f.child().exit(0);
  CHECK(f.worker->queue_length() == 1);
  f.names_of_losers.clear();
  f.time.pass(100ms);
  f.confirm({"link1"});
  CHECK(f.worker->queue_length() == 0);
}

TEST_CASE("what was written and is gone when the run has ended waits for the news of its rename") {
  Fixture f;
  f.change("a");
  f.vanished = "a";
  f.child().exit(0);  // --ignore-missing-args
  CHECK(f.worker->queue_length() == 1);
  f.time.pass(99ms);
  CHECK_FALSE(f.child().input);
  f.time.pass(1ms);
  CHECK(f.child().input);
  f.vanished = "";
  f.child().exit(0);
  CHECK(f.worker->queue_length() == 0);
}

TEST_CASE("deletions that were refused are tried again by full passes, and told of once") {
  constexpr auto refusal =
      "ERROR: The server is configured to refuse --delete\n"
      "rsync error: requested action not supported (code 4) at clientserver.c(1101) [receiver=3.5.0]\n";
  WorkerOptions options;
  options.deletion = Deletion::missing_args;
  options.warm = false;
  Fixture f(options);
  for (int pass = 0; pass < 3; ++pass) {
    f.time.pass(1s);
    f.worker->want_full_pass();
    CHECK(f.child().has("--delete"));
    f.child().exit(4, "", refusal);
    CHECK_FALSE(f.child().has("--delete"));
    f.child().exit(0);
    CHECK(f.full_passes == pass + 1);
    CHECK(f.troubles.size() == 1);
    CHECK_FALSE(f.worker->status().deletes);
  }
  f.time.pass(1s);
  f.change("a");
  CHECK_FALSE(f.child().has("--delete-missing-args"));
  f.confirm({"a"});
  f.worker->retry_now();
  CHECK(f.child().has("--delete"));
  f.child().exit(0);
  CHECK(f.worker->status().deletes);
}

TEST_CASE("a target that refuses deletions is asked again, and compared only once it takes them") {
  constexpr auto refusal =
      "ERROR: The server is configured to refuse --delete\n"
      "rsync error: requested action not supported (code 4) at clientserver.c(1101) [receiver=3.5.0]\n";
  WorkerOptions options = looking_again();
  options.deletion = Deletion::missing_args;
  options.warm = false;
  Fixture f(options);
  f.worker->want_full_pass();
  f.child().exit(4, "", refusal);
  CHECK_FALSE(f.child().has("--delete"));
  f.child().exit(0);
  CHECK(f.full_passes == 1);
  for (int asked = 0; asked < 5; ++asked) {
    CHECK_FALSE(f.worker->up_to_date());
    f.time.pass(2s);
    CHECK(f.child().has("--delete"));
    CHECK_FALSE(f.worker->up_to_date());
    f.child().exit(4, "", refusal);
    CHECK(f.worker->status().state == "idle");
    CHECK(f.full_passes == 1);
    CHECK(f.troubles.size() == 1);
  }
  f.change("a");
  CHECK_FALSE(f.child().has("--delete-missing-args"));
  f.confirm({"a"});
  f.time.pass(2s);
  CHECK(f.child().has("--delete"));
  f.child().exit(0);
  CHECK(f.full_passes == 2);
  CHECK(f.worker->up_to_date());
}

TEST_CASE("only who was given a limit can have reached it") {
  for (const bool limited : {false, true}) {
    WorkerOptions options;
    options.deletion = Deletion::missing_args;
    options.own_options = false;
    if (limited) options.rsync.max_delete = 10;
    Fixture f(options);
    f.worker->want_full_pass();
    f.child().exit(25);
    CHECK((f.worker->status().state == "waiting") == !limited);
    f.time.pass(2s);
    CHECK(f.child().has("--delete") == !limited);
  }
}

TEST_CASE("words of trouble name the source, not the way by which it was read") {
  WorkerOptions options;
  options.warm = false;
  Fixture f(options);
  f.way = "/proc/77/fd/5";
  for (int time = 0; time < 2; ++time) {
    f.change("a");
    f.child().exit(23, "", "rsync: [sender] link_stat \"/proc/77/fd/5/a\" failed: Permission denied (13)\n");
    f.time.pass(1s);
  }
  REQUIRE(f.troubles.size() >= 1);
  CHECK(f.troubles[0].find("link_stat \"/source/a\"") != std::string::npos);
}
