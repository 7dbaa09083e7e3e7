// SPDX-License-Identifier: GPL-2.0-or-later
#include "inotifysync/config/rules.hpp"

#include <doctest/doctest.h>

using namespace inotifysync;

TEST_CASE("a rule of filter says whether it includes or excludes") {
  for (const char* rule : {"+ *.csv", "- *", "- /uploads/", "+ */", "-  name", "- P /uploads/"}) {
    CAPTURE(rule);
    CHECK(filter_rule_fault(rule) == "");
  }
  for (const char* rule : {"P /uploads/", "!", ": .rules", ":- .gitignore", "merge rules", ". rules",
                           "+*.csv", "-x", "*.tmp", "+ ", "-", "", "exclude *.tmp", "-s *.tmp", "R x"}) {
    CAPTURE(rule);
    CHECK(filter_rule_fault(rule) == "'" + std::string(rule) + "': a rule must begin with \"+ \" or \"- \"");
  }
}

TEST_CASE("a pattern that looks like another kind of rule is refused") {
  for (const char* pattern : {"*.tmp",
                              "/cache/",
                              "- x",
                              "+ x",
                              "!",
                              "-x",
                              "+x",
                              "Pictures",
                              "P",
                              ".git/",
                              ".",
                              "..",
                              ". ",
                              "P ",
                              "Private pictures",
                              ":memory:",
                              "S3 bucket",
                              "show",
                              "showroom plan",
                              "#x",
                              "- P /uploads/"}) {
    CAPTURE(pattern);
    CHECK(pattern_fault(pattern) == "");
  }
  for (const char* pattern : {"P /uploads/", "R x", "H x", "Sr x", ". rules", ": .rules", ":- .gitignore",
                              "protect /uploads/", "merge rules", "dir-merge .rules", "exclude *.tmp"}) {
    CAPTURE(pattern);
    CHECK(pattern_fault(pattern) != "");
  }
  CHECK(
      pattern_fault("P a") ==
      "'P a' looks like a filter rule, and only patterns are taken; for a name that begins so write '[P] a'");
  CHECK(pattern_fault("[P] a") == "");
  CHECK(pattern_lines_fault("*.tmp\n- x\n\n# P x\r\n! \n") == "");
  CHECK(pattern_lines_fault("*.tmp\r\n\nP x\r\nH x\n").starts_with("line 3: 'P x' looks like"));
}

TEST_CASE("options by which rsync does nothing are refused") {
  using Options = std::vector<std::string>;
  const Options idle[] = {{"-n"},
                          {"-avn"},
                          {"-z", "--dry-run"},
                          {"--list-only"},
                          {"--help"},
                          {"-V"},
                          {"-avV"},
                          {"--version"},
                          {"--only-write-batch=x"},
                          {"--only-write-batch", "x"},
                          {"--daemon"},
                          {"--read-batch=x"},
                          {"--info=help"},
                          {"--info", "help"},
                          {"-M--dry-run"},
                          {"-M", "-n"},
                          {"--remote-option=-n"},
                          {"--remote-option", "--dry-run"},
                          {"-e", "ssh", "-n"},
                          {"--bwlimit", "5m", "-n"}};
  for (const Options& options : idle) {
    CAPTURE(options.front());
    CHECK(rsync_options_fault(options) != "");
  }
  const Options busy[] = {{},
                          {"-z", "--bwlimit=5m"},
                          {"-h"},
                          {"--numeric-ids"},
                          {"--no-dry-run"},
                          {"-e", "ssh -n"},
                          {"-essh -n"},
                          {"-ze", "-n"},
                          {"--rsh", "-n"},
                          {"--filter", "- /nightly"},
                          {"-f- /nightly"},
                          {"-f", "-n"},
                          {"-Tn"},
                          {"-M--fake-super"},
                          {"--info=name"},
                          {"--chmod", "-n"}};
  for (const Options& options : busy) {
    CAPTURE(options.size());
    CHECK(rsync_options_fault(options) == "");
  }
  CHECK(rsync_options_fault({"-z", "-avn"}) == "'-avn': with -n rsync would bring nothing over");
  const std::string harm = " the targets would not become the same as the source";
  for (const char* option : {"--append", "--append-verify", "--remove-source-files", "--relative",
                             "--existing", "--ignore-non-existing", "--ignore-existing", "--no-from0"})
    CHECK(rsync_options_fault({option}) == "'" + std::string(option) + "': with " + option + harm);
  CHECK(rsync_options_fault({"-zR"}) == "'-zR': with -R" + harm);
  CHECK(rsync_options_fault({"--no-relative", "--rsh", "--append"}).empty());
  CHECK(rsync_options_fault({"--files-from=list"}) == "'--files-from=list': with --files-from" + harm);
  CHECK(rsync_options_fault({"-z", "--inplace"}) ==
        "'--inplace': it writes through what were hard links; it needs '--no-hard-links', too");
  CHECK(rsync_options_fault({"--inplace", "--no-H"}).empty());
  // What it takes for its value is what we say behind it: the source.
  for (const Options& options : {Options{"-e"}, {"--rsh"}, {"-z", "--exclude"}, {"-zf"}, {"-M"}})
    CHECK(rsync_options_fault(options) == "'" + options.back() + "': it needs a value");
  CHECK(rsync_options_fault({"--info", "help"}) == "'help': with --info=help rsync would bring nothing over");
}
