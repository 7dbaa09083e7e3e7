// SPDX-License-Identifier: GPL-2.0-or-later
// Whose words they are, and which of them a person is told.
#include <doctest/doctest.h>

#include "rsync_answers.hpp"

using namespace rsync_answers;

TEST_CASE("what ssh and the other side's shell say is no failure of rsync's") {
  const Step step = list_of({"a", "b"});
  constexpr auto all = "<f.st...... 100 a\n<f.st...... 100 b\ntotal size is 200  speedup is 1.00\n";
  for (const char* noise :
       {"bash: warning: setlocale: LC_ALL: cannot change locale (en_US.UTF-8)\n",
        "Warning: Permanently added '[::1]:22' (ED25519) to the list of known hosts.\n",
        "News: \"a\" is down, an error of the network\n", "tput: failed, no terminal\n"}) {
    CAPTURE(noise);
    CHECK(judge_rsync(false, 0, all, noise, step).verdict == Verdict::delivered);
    CHECK(judge_rsync(false, 0, all,
                      std::string(noise) + "rsync: [sender] open \"/s/b\" failed: Input/output error (5)\n",
                      step)
              .verdict == Verdict::partial);
  }
  const auto left_of = [&](const char* output, int code) {
    return left(step,
                judge_rsync(false, code, output,
                            "bash: warning: setlocale: LC_ALL: cannot change locale (en_US.UTF-8)\n"
                            "rsync: [sender] send_files failed to open \"/s/b\": Permission denied (13)\n",
                            step));
  };
  CHECK(left_of(all, 23) == "b");
  // One that does not say that it is done: nobody knows whose words they are.
  CHECK(judge_rsync(false, 0, "", "tput: failed, no terminal\n", step).verdict == Verdict::partial);
}

// rsync 3.5.0 with --delay-updates and a --partial-dir that cannot be made: it ends with 0, and has brought
// nothing.
TEST_CASE("a file that rsync threw away is not delivered, whatever the run ended with") {
  const Step step = list_of({"a"});
  const Outcome outcome =
      judge_rsync(false, 0, "<f+++++++++ 46 a\ntotal size is 1  speedup is 0.02\n",
                  "Unable to create partial-dir for a -- discarding completed file.\n", step);
  CHECK(outcome.verdict == Verdict::partial);
  CHECK(left(step, outcome) == "a");
}

TEST_CASE("of two lines about a file, the one that says why is told") {
  const Step step = list_of({"bad"});
  const Outcome outcome =
      judge_rsync(false, 23, "<f......... 43 bad\n",
                  "rsync: [sender] read errors mapping \"/srv/bad\": Input/output error (5)\n"
                  "ERROR: bad failed verification -- update discarded.\n"
                  "rsync error: some files/attrs were not transferred (code 23) at main.c(1394)\n",
                  step);
  CHECK(outcome.words == "rsync: [sender] read errors mapping \"/srv/bad\": Input/output error (5)");
  CHECK(left(step, outcome) == "bad");
}

TEST_CASE("a warning is not the reason where there is another") {
  const auto words = [](std::string_view errors) {
    return judge_rsync(false, 255, "", errors, list_of({"a"})).words;
  };
  constexpr auto last = "rsync error: unexplained error (code 255) at io.c(232) [sender=3.5.0]\n";
  const std::string refused = "ssh: connect to host web1 port 22: Connection refused";
  for (const std::string warning :
       {"Warning: Identity file /k not accessible: No such file or directory.\n",
        "Warning: Permanently added 'web1' (ED25519) to the list of known hosts.\n",
        "** WARNING: connection is not using a post-quantum key exchange.\n"})
    CHECK(words(warning + refused + "\n" + last) == refused);
  CHECK(
      words(std::string(
                "@@@@@@@@@@@@\n@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\n@@@@@@@@@@@@\n") +
            last) == "@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @");
  CHECK(words("Warning: no more than that\n") == "Warning: no more than that");
}

TEST_CASE("rsync's question for a password is no part of its answer") {
  CHECK(judge_rsync(false, 5, "", "Password: @ERROR: auth failed on module www\n", list_of({"a"})).words ==
        "@ERROR: auth failed on module www");
}

TEST_CASE("a refusal in rsync's own words is what a person is told") {
  const Outcome outcome =
      judge_rsync(false, 4, "",
                  "rsync: [sender] read error: Connection reset by peer (104)\n"
                  "rsync: The server is configured to refuse --delete\n"
                  "rsync error: requested action not supported (code 4) at clientserver.c(1267)\n",
                  list_of({"a"}));
  CHECK(outcome.words == "rsync: The server is configured to refuse --delete");
}

TEST_CASE("names come back as the bytes they are") {
  CHECK(unescape_name("back\\#134#012slash") == "back\\#012slash");
  CHECK(unescape_name("\\#377\\#376") == "\xff\xfe");
  CHECK(unescape_name("a\\#01") == "a\\#01");
  CHECK(unescape_name("a\\#09x") == "a\\#09x");
  CHECK(unescape_name("\\") == "\\");
  CHECK(unescape_name("") == "");
}

TEST_CASE("lines that are no rsync's are not taken for names") {
  const Step step = list_of({"a"});
  for (const char* output :
       {"<f", "<f.........", "<f......... ", "<f......... x a", "*deleting", "*deleting   ",
        "hello world, this is a banner", "<f......... 99999999999999999999999 a"}) {
    CAPTURE(output);
    CHECK(left(step, judge_rsync(false, 23, output, "IO error\n", step)) == "a");
  }
}
