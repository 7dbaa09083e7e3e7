// SPDX-License-Identifier: GPL-2.0-or-later
// An rsync that says less than it should, or something else.
#include <doctest/doctest.h>

#include "inotifysync/rsync/rsync_outcome.hpp"

using namespace inotifysync;

TEST_CASE("status 24 confirms nothing that was not named, by whomever") {
  Step step;
  for (const char name : {'a', 'b'}) {
    step.names += '/';
    Step::Entry entry;
    entry.offset = static_cast<std::uint32_t>(step.names.size());
    entry.length = 1;
    (step.names += name) += '\0';
    step.entries.push_back(entry);
  }
  constexpr auto other = "file has vanished: \"/source/other\"\n";
  constexpr auto named = "<f+++++++++ 43 b\n";
  const Outcome cut = judge_rsync(false, 24, named, other, step);
  CHECK(cut.verdict == Verdict::partial);
  CHECK(cut.confirmed == std::vector<bool>{false, true});
  const Outcome done =
      judge_rsync(false, 24, std::string(named) + "total size is 43  speedup is 1.00\n", other, step);
  CHECK(done.confirmed == std::vector<bool>{false, true});  // it may be a hard link of what vanished
}
