// SPDX-License-Identifier: GPL-2.0-or-later
// The words are rsync 3.5.0's own, as it said them to a client that pushes to a daemon module.
#include <doctest/doctest.h>

#include <initializer_list>

#include "rsync_answers.hpp"

using namespace rsync_answers;

TEST_CASE("a run that ends well delivers everything and is counted") {
  const Step step = list_of({"d/f1", "new\nline", "gone", "ln", "d"});
  const Outcome outcome = judge_rsync(false, 0,
                                      ".d..t...... 0 ./\n"
                                      "<f+++++++++ 43 d/f1\n"
                                      "<f.st...... 100 new\\#012line\n"
                                      "cL+++++++++ 0 ln\n"
                                      ".d          0 d/\n"
                                      "*deleting   0 gone/x\n"
                                      "*deleting   0 gone/\n",
                                      "", step);
  CHECK(outcome.verdict == Verdict::delivered);
  CHECK(outcome.files == 3);
  CHECK(outcome.deleted == 2);
  CHECK(outcome.sent_bytes == 143);
  CHECK(outcome.words.empty());
  CHECK(left(step, outcome) == "");
}

TEST_CASE("exit 0 with a directory that could not be deleted is not delivered") {
  const Step step = list_of({"p", "d/f1"});
  const Outcome outcome =
      judge_rsync(false, 0, "cannot delete non-empty directory: p\n<f......... 43 d/f1\n", "", step);
  CHECK(outcome.verdict == Verdict::partial);
  CHECK(outcome.words == "cannot delete non-empty directory: p");
  CHECK(left(step, outcome) == "p");
}

TEST_CASE("exit 0 beyond the limit of deletions is held, and what was not seen goes back") {
  const Step step = list_of({"del", "d/f1"});
  const Outcome outcome = judge_rsync(false, 0,
                                      "*deleting   0 del/3\n*deleting   0 del/2\n"
                                      "cannot delete non-empty directory: del\n<f......... 43 d/f1\n",
                                      "Deletions stopped due to --max-delete limit (1 skipped)\n", step);
  CHECK(outcome.verdict == Verdict::max_delete);
  CHECK(left(step, outcome) == "del");
}

TEST_CASE("a directory that came back before it was deleted is still to be emptied") {
  Step step = list_of({"d/f1", "gone", "p"});
  step.entries[1].missing = step.entries[2].missing = true;
  const char* const said =
      "<f......... 43 d/f1\n*deleting   0 gone/x\n*deleting   0 gone/\n.d          0 p/\n";
  const Outcome outcome = judge_rsync(false, 0, said, "", step);
  CHECK(outcome.verdict == Verdict::partial);
  CHECK(outcome.failed == 0);
  CHECK(left(step, outcome) == "p");

  Step directories = list_of({"top"}, StepKind::directories);
  directories.owed.push_back({"top/p", dirt::gone});
  const Outcome other = judge_rsync(false, 0, ".d          0 top/\n.d          0 top/p/\n", "", directories);
  CHECK(other.verdict == Verdict::partial);
  CHECK(left(directories, other) == "top/p");
  CHECK(judge_rsync(false, 0, ".d          0 top/\n*deleting   0 top/p/\n", "", directories).verdict ==
        Verdict::delivered);
}

TEST_CASE("exit 23 confirms what passed and is not named") {
  const Step step = list_of({"d/f1", "d/f2", "q", "a/b/c"});
  const Outcome outcome = judge_rsync(
      false, 23, ".d          0 d/\n<f......... 43 d/f1\n<f......... 43 d/f2\n<f......... 43 a/b/c\n",
      "rsync: [receiver] mkstemp \"d/.f1.VC4gII\" (in auth) failed: Permission denied (13)\n"
      "rsync: [sender] link_stat \"/srv/www/q\" failed: Not a directory (20)\n"
      "rsync error: some files/attrs were not transferred (see previous errors) (code 23) at main.c(1394) "
      "[sender=3.5.0]\n",
      step);
  CHECK(outcome.verdict == Verdict::partial);
  CHECK(outcome.failed == 2);
  CHECK(outcome.words ==
        "rsync: [receiver] mkstemp \"d/.f1.VC4gII\" (in auth) failed: Permission denied (13)");
  CHECK(left(step, outcome) == "d/f1 q");
}

TEST_CASE("a file is found by its temporary name, hidden or long as it may be") {
  const std::string long_name(255, 'x'), cut(247, 'x');
  const Step step = list_of({"d/.hidden", "d/.a.config", "d/hidden2", long_name.c_str(), "plain"});
  const std::string passed =
      "<f......... 43 d/.hidden\n<f......... 43 d/.a.config\n<f......... 43 d/hidden2\n" +
      ("<f......... 43 " + long_name) + "\n<f......... 43 plain\n";
  const auto left_by = [&](const std::string& path) {
    const std::string words =
        "rsync: [receiver] mkstemp \"" + path + "\" (in www) failed: Permission denied (13)\n";
    return left(step, judge_rsync(false, 23, passed, words, step));
  };
  CHECK(left_by("/d/.hidden.OhHjIP") == "d/.hidden");
  CHECK(left_by("/d/.hidden2.OhHjIP") == "d/hidden2");
  CHECK(left_by("/d/.a.config") == "d/.a.config");
  CHECK(left_by("/d/.a.config.OhHjIP") == "d/.a.config");
  CHECK(left_by("/." + cut + ".OhHjIP") == long_name);
  CHECK(left_by("/.OhHjIP") == long_name);
  CHECK(left_by("/.plain.OhHjIP") == "plain");
  CHECK(left_by("/.plai.OhHjIP") == "");
}

TEST_CASE("a file is found whatever quotes are in its name") {
  const Step step = list_of({"a\" b", "\" \"", "c\"", "plain"});
  const std::string passed =
      "<f......... 4 a\" b\n<f......... 4 \" \"\n<f......... 4 c\"\n<f......... 4 plain\n";
  const auto left_by = [&](const std::string& words) {
    return left(step, judge_rsync(false, 23, passed, "rsync: [receiver] " + words + "\n", step));
  };
  CHECK(left_by("mkstemp \"/.a\" b.OhHjIP\" (in www) failed: Permission denied (13)") == "a\" b");
  CHECK(left_by("mkstemp \"/.\" \".OhHjIP\" (in www) failed: Permission denied (13)") == "\" \"");
  CHECK(left_by("rename \"/.c\".OhHjIP\" -> \"c\"\": Permission denied (13)") == "c\"");
  CHECK(left_by("rename \"/.plain.OhHjIP\" -> \"plain\": Permission denied (13)") == "plain");
}

TEST_CASE("what failed without a word that is known confirms nothing") {
  const Step step = list_of({"a"});
  CHECK(left(step, judge_rsync(false, 23, "<f......... 4 a\n", "temporary filename too long: a\n", step)) ==
        "a");
}

TEST_CASE("a run that is done says so, last of all") {
  const std::string totals =
      "\nsent 45 bytes  received 19 bytes  128.00 bytes/sec\ntotal size is 0  speedup is 0.00\n";
  CHECK(judge_rsync(false, 0, totals, "", list_of({})).told_totals);
  CHECK(judge_rsync(false, 0, ".d          0 total size is 0/" + totals, "", list_of({})).told_totals);
  CHECK_FALSE(judge_rsync(false, 0, "", "", list_of({})).told_totals);
  CHECK_FALSE(judge_rsync(false, 0, "<f+++++++++ 43 total size is 0\n", "", list_of({})).told_totals);
}

TEST_CASE("exit 23 with a name that was never seen passing does not confirm it") {
  const Step step = list_of({"seen", "unseen"});
  const Outcome outcome =
      judge_rsync(false, 23, "<f......... 1 seen\n",
                  "rsync: [sender] link_stat \"/s/other\" failed: Permission denied (13)\n", step);
  CHECK(left(step, outcome) == "unseen");
}

TEST_CASE("a tree in which nothing was deleted because of another path is not confirmed") {
  const Step step = list_of({"d", "e", "f/sub"}, StepKind::subtree);
  const Outcome outcome =
      judge_rsync(false, 23,
                  "IO error encountered -- skipping file deletion\n"
                  ".d          0 d/\n"
                  ">f+++++++++ 39 d/keep\n"
                  ".d          0 e/\n",
                  "rsync: [sender] link_stat \"/s/f/sub\" failed: Not a directory (20)\n", step);
  CHECK(outcome.verdict == Verdict::partial);
  CHECK(left(step, outcome) == "d e f/sub");
}

TEST_CASE("exit 23 that names no path confirms nothing") {
  const Step step = list_of({"a", "b"});
  const Outcome outcome = judge_rsync(false, 23, "<f......... 1 a\n<f......... 1 b\n",
                                      "IO error encountered -- skipping file deletion\n", step);
  CHECK(outcome.verdict == Verdict::partial);
  CHECK(left(step, outcome) == "a b");
}

TEST_CASE("what should be there and is made anew was taken away by somebody") {
  Step step = list_of({"old", "new", "directory"});
  step.entries[0].expected = step.entries[2].expected = true;
  const auto made_anew = [&](std::string_view output) {
    return judge_rsync(false, 0, output, "", step).made_anew;
  };
  CHECK_FALSE(made_anew("<f.st...... 1 old\n<f+++++++++ 1 new\n.d..t...... 0 directory/\n"));
  CHECK(made_anew("<f+++++++++ 1 old\n"));
  CHECK(made_anew("cL+++++++++ 0 old\n"));
  CHECK(made_anew("cd+++++++++ 0 directory/\n"));
  CHECK(made_anew("cd+++++++++ 0 above/\n"));
  CHECK_FALSE(made_anew("<f+++++++++ 1 not/listed\n"));
}

TEST_CASE("a directory that cannot be made fails all that is in it") {
  const Step step = list_of({"d", "d/x", "dd"});
  const Outcome outcome =
      judge_rsync(false, 23, "cd+++++++++ 0 d/\n<f+++++++++ 1 d/x\n<f+++++++++ 1 dd\n",
                  "rsync: [generator] recv_generator: mkdir \"d\" (in m) failed: "
                  "Permission denied (13)\n*** Skipping any contents from this failed directory ***\n",
                  step);
  CHECK(left(step, outcome) == "d d/x");
}

TEST_CASE("what fails below a tree that is sent whole fails the tree") {
  const Step step = list_of({"tree", "other"}, StepKind::subtree);
  const Outcome outcome = judge_rsync(false, 23, "cd+++++++++ 0 tree/\n.d          0 other/\n",
                                      "rsync: [sender] send_files failed to open \"/srv/tree/secret\": "
                                      "Permission denied (13)\n",
                                      step);
  CHECK(left(step, outcome) == "tree");
}

TEST_CASE("exit 24 confirms everything but what vanished") {
  const Step step = list_of({"p", "d/f1"});
  const Outcome outcome = judge_rsync(
      false, 24, "<f......... 43 d/f1\n",
      "file has vanished: \"/srv/www/p\"\nWARNING: parent dir is absent in the file list: p\n"
      "rsync warning: some files vanished before they could be transferred (code 24) at main.c(1394) "
      "[sender=3.5.0]\n",
      step);
  CHECK(outcome.verdict == Verdict::partial);
  CHECK(left(step, outcome) == "p");
}

TEST_CASE("a killed child is never a success, whatever it had said") {
  const Step step = list_of({"a"});
  const Outcome outcome = judge_rsync(true, 0, "<f......... 43 a\n", "", step);
  CHECK(outcome.verdict == Verdict::retry);
  CHECK(outcome.words == "rsync was ended by signal 0");
  CHECK(left(step, outcome) == "a");
}

TEST_CASE("a connection that breaks confirms nothing") {
  const Step step = list_of({"a", "b"});
  const Outcome outcome =
      judge_rsync(false, 12, "<f......... 43 a\n",
                  "rsync: connection unexpectedly closed (8 bytes received so far) [sender]\n"
                  "rsync error: error in rsync protocol data stream (code 12) at io.c(285) "
                  "[sender=3.5.0]\n",
                  step);
  CHECK(outcome.verdict == Verdict::connection_lost);
  CHECK(outcome.words == "rsync: connection unexpectedly closed (8 bytes received so far) [sender]");
  CHECK(left(step, outcome) == "a b");
}

TEST_CASE("what is to be done about a run that broke off") {
  CHECK(verdict(
            5, "@ERROR: Unknown module 'x'\nrsync error: error starting client-server protocol (code 5)\n") ==
        Verdict::hold);
  CHECK(verdict(5, "@ERROR: auth failed on module auth\n") == Verdict::hold);
  CHECK(verdict(5, "@ERROR: access denied to deny from localhost (127.0.0.1)\n") == Verdict::hold);
  CHECK(verdict(5, "@ERROR: max connections (1) reached -- try again later\n") == Verdict::busy);
  CHECK(verdict(1, "ERROR: module is read only\n") == Verdict::hold);
  CHECK(verdict(1, "ERROR: password file must not be other-accessible\n") == Verdict::hold);
  CHECK(verdict(4, "rsync: The server is configured to refuse --delete\n") == Verdict::no_deletion);
  CHECK(verdict(4, "rsync: The server is configured to refuse --ignore-times (-I)\n") == Verdict::hold);
  CHECK(
      verdict(10, "rsync: [sender] failed to connect to 127.0.0.1 (127.0.0.1): Connection refused (111)\n") ==
      Verdict::retry);
  CHECK(verdict(10, "rsync: getaddrinfo: nosuch.invalid 873: Name or service not known\n") == Verdict::retry);
  CHECK(verdict(10, "rsync: [sender] read error: Connection reset by peer (104)\n") ==
        Verdict::connection_lost);
  CHECK(
      verdict(2, "invalid file mode 00 for p [receiver]\nrsync error: protocol incompatibility (code 2)\n") ==
      Verdict::no_missing_args);
  CHECK(verdict(2, "protocol version mismatch -- is your shell clean?\n") == Verdict::hold);
  CHECK(verdict(3, "rsync: [sender] change_dir \"/tmp/nosrc/\" failed: No such file or directory (2)\n") ==
        Verdict::source_missing);
  CHECK(verdict(11, "rsync: [receiver] write failed on \"big\" (in fat): File too large (27)\n") ==
        Verdict::target_full);
  CHECK(verdict(11, "rsync: [receiver] write failed on \"big\" (in full): No space left on device (28)\n") ==
        Verdict::target_full);
  CHECK(verdict(11, "rsync: [Receiver] mkdir \"/a/b\" failed: No such file or directory (2)\n") ==
        Verdict::retry);
  CHECK(verdict(25, "Deletions stopped due to --max-delete limit (3 skipped)\n") == Verdict::max_delete);
  CHECK(verdict(30, "rsync error: timeout in data send/receive (code 30)\n") == Verdict::retry);
  CHECK(verdict(127, "bash: rsync: command not found\n") == Verdict::hold);
  CHECK(verdict(255, "bob@web1: Permission denied (publickey).\n") == Verdict::hold);
  CHECK(verdict(255, "ssh: connect to host 127.0.0.1 port 22: Connection refused\n") == Verdict::retry);
  CHECK(verdict(77, "") == Verdict::retry);
  CHECK(verdict(19, "") == Verdict::retry);
}

TEST_CASE("a rename that did not come through is sent anew, whole") {
  Step step;
  step.kind = StepKind::move_directory;
  step.to = "new";
  step.owed.push_back({"new", dirt::created | dirt::subtree | dirt::content});
  CHECK(left(step, judge_rsync(false, 0, "", "", step)) == "");
  CHECK(left(step, judge_rsync(false, 12, "", "", step)) == "new");
  CHECK(left(step, judge_rsync(false, 23, "",
                               "rsync: [receiver] mkstemp \"f\" failed: Permission denied (13)\n", step)) ==
        "new");
}

TEST_CASE("a rename into a directory that the target has no more is sent anew, and what follows makes it") {
  for (const StepKind kind : {StepKind::move_directory, StepKind::move_file, StepKind::exact}) {
    Step step;
    step.kind = kind;
    step.to = "d/new";
    step.owed.push_back({"d/new", dirt::created | dirt::content});
    struct Answer {
      int code;
      const char* words;
      bool is_partial;
    };
    for (const Answer& answer : std::initializer_list<Answer>{
             {11, "rsync: [Receiver] mkdir \"/t/d/new\" failed: No such file or directory (2)\n", true},
             {11, "rsync: [Receiver] mkdir \"d/new\" (in www) failed: Permission denied (13)\n", true},
             {3, "rsync: [Receiver] change_dir#3 \"/t/d\" failed: No such file or directory (2)\n", true},
             {3, "rsync: [Receiver] ERROR: cannot stat destination \"/t/d/\": Not a directory (20)\n", true},
             {11, "rsync: [Receiver] mkdir \"/t/d/new\" failed: No space left on device (28)\n", false},
             {11, "rsync: [receiver] write failed on \"d/new\": Input/output error (5)\n", false},
             {3, "rsync: [sender] change_dir \"/s/d\" failed: No such file or directory (2)\n", false}}) {
      CAPTURE(answer.words);
      const Outcome outcome = judge_rsync(false, answer.code, "", answer.words, step);
      const bool expected = answer.is_partial && kind != StepKind::exact;
      CHECK((outcome.verdict == Verdict::partial) == expected);
      CHECK((outcome.failed > 0) == expected);
      CHECK(left(step, outcome) == "d/new");
    }
  }
}

TEST_CASE("a directory that has to be made for a renamed file shows that the target lost what it had") {
  Step step;
  step.kind = StepKind::move_file;
  constexpr auto output = "created directory d\n>f+++++++++ 0 new\ntotal size is 9  speedup is 1.00\n";
  CHECK(judge_rsync(false, 0, output, "", step).made_anew);
  step.make_parents = true;
  CHECK_FALSE(judge_rsync(false, 0, output, "", step).made_anew);
  step.kind = StepKind::move_directory;
  step.make_parents = false;
  CHECK_FALSE(judge_rsync(false, 0, output, "", step).made_anew);
}

TEST_CASE("what does not fit, and what is as large, is told from the rest") {
  Step step;
  std::uint64_t size = 0;
  for (const char* name : {"d/empty", "d/small", "d/big", "d/bigger", "d/last"}) {
    Step::Entry entry;
    entry.offset = static_cast<std::uint32_t>(step.names.size());
    entry.length = static_cast<std::uint32_t>(std::string_view(name).size());
    entry.dirt = dirt::content;
    entry.size = name == std::string_view("d/last") ? 10 : size;
    size = size * 100 + 10;
    step.names += name;
    step.names += '\0';
    step.entries.push_back(entry);
  }
  const Outcome outcome =
      judge_rsync(false, 11, ">f+++++++++ 10 d/small\n",
                  "rsync: [receiver] write failed on \"d/big\" (in www): No space left on device (28)\n"
                  "rsync error: error in file IO (code 11) at receiver.c(657) [receiver=3.5.0]\n",
                  step);
  CHECK(outcome.verdict == Verdict::target_full);
  ChangeSet aside, rest;
  REQUIRE(put_back_apart(step, outcome, aside, rest));
  CHECK(aside.size() == 2);
  CHECK(aside.dirt_of("d/big") == dirt::content);
  CHECK(aside.dirt_of("d/bigger") == dirt::content);
  CHECK(rest.size() == 3);
  CHECK_FALSE(put_back_apart(step, Outcome{}, aside, rest));
}

TEST_CASE("where single files found no room, the others are there") {
  CHECK(judge_rsync(false, 23, "",
                    "rsync: [receiver] mkstemp \"/.a.XXXXXX\" (in www) failed: No space left on device (28)\n"
                    "rsync error: some files/attrs were not transferred (see previous errors) (code 23)\n",
                    Step{})
            .verdict == Verdict::partial);
}

TEST_CASE("of a full pass, it is known of the first files whether they were sent for their times alone") {
  Step step;
  step.kind = StepKind::full;
  const std::string_view output =
      ".d..t...... 0 ./\n<f..t...... 10 a\n>f.st...... 10 b\n.f..t...... 0 c\ncL+++++++++ 0 d\n*deleting   0 "
      "e\n";
  const Outcome outcome = judge_rsync(false, 0, output, "", step);
  REQUIRE(outcome.first_sent.size() == 2);
  CHECK(outcome.first_sent[0].name == "a");
  CHECK(outcome.first_sent[0].time_alone);
  CHECK(outcome.first_sent[1].name == "b");
  CHECK_FALSE(outcome.first_sent[1].time_alone);
  step.kind = StepKind::exact;
  CHECK(judge_rsync(false, 0, output, "", step).first_sent.empty());
}
