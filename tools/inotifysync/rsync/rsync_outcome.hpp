// SPDX-License-Identifier: GPL-2.0-or-later
// What rsync answered: its exit status and its words, turned into what is delivered and what to do next.
// Pure.
//
// What was seen with rsync 3.5.0:
// - Exit 0 is not enough: "cannot delete non-empty directory: NAME" (on stdout) and "Deletions stopped due to
//   --max-delete limit" (on stderr) both come with 0.
// - Exit 24 comes with everything else done, but for the names in `file has vanished: "PATH"` lines, and the
//   other names of the same files (hard links), of which nothing is said.
// - Exit 23 names the failed paths in lines of the form `rsync: [who] call "PATH" ... failed: words (errno)`.
//   PATH is the source's, the target's, or a temporary file `.NAME.XXXXXX` beside it, "(in MODULE)" after it.
// - Any other exit confirms nothing: a name is printed when its bytes were sent, not when they were stored.
// - Names are printed with bytes outside printable ASCII as \#ooo, and a backslash before '#' and digits as
// \#134.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "inotifysync/changes/batch.hpp"

namespace inotifysync {

enum class Verdict : std::uint8_t {
  delivered,        // all of it
  partial,          // the confirmed paths; the rest failed, try it again after a while
  retry,            // passing trouble: nothing is confirmed; back off
  hold,             // a person must mend it (password, module, configuration): say so, try slowly
  connection_lost,  // the peer was not there any more: a waiting client may be replaced at once, else as
                    // retry
  target_full,      // no space left for what is named, or for anything: back off, say so
  busy,             // max connections reached: back off
  no_missing_args,  // its rsync breaks on --delete-missing-args: plan again with Deletion::by_directory
  no_links,         // it refuses what a rename needs: plan again without --link-dest and its like
  no_deletion,      // it refuses to delete: plan again with Deletion::none, say so once
  max_delete,       // more deletions than allowed: hold and say so
  source_missing,   // exit 3 about the source: look at the source before anything else
  silent,  // it ended well without the words of one that did: it may be no rsync at all; try it again
};

struct Outcome {
  Verdict verdict = Verdict::retry;
  std::string words;             // rsync's own, one line; empty when delivered
  std::vector<bool> confirmed;   // for each entry of the step; empty: none
  std::vector<bool> named;       // of a run that broke off: the entries that it says it failed at
  std::uint64_t files = 0;       // files whose content went, links and devices made
  std::uint64_t deleted = 0;     // names taken away
  std::uint64_t sent_bytes = 0;  // file data that went over, from the out-format's %b
  std::size_t failed = 0;        // paths that failed by name
  bool reached = false;          // there may have been another side that took something
  bool made_anew = false;        // what the target had before was not there any more
  bool told_totals = false;      // as it does last of all, when the other side has said that it is done
  bool names_nothing = false;    // there were names on its list to bring, and it ended well without one
  struct Sent {
    std::string name;
    bool time_alone = false;  // nothing but its time was another one at the target
  };
  std::vector<Sent> first_sent;  // of a full pass: the first files whose content went, a few dozen
};

Outcome judge_rsync(bool signalled, int code, std::string_view output, std::string_view errors,
                    const Step& step);

// Marks what the run did not confirm. A move that did not come through is marked as a new subtree, without a
// link.
void put_back(const Step& step, const Outcome& outcome, ChangeSet& into);

// For a run that broke off for want of space: what did not fit, and whatever is as large, goes into `aside`,
// the rest into `rest`. False where it is not known what that was.
bool put_back_apart(const Step& step, const Outcome& outcome, ChangeSet& aside, ChangeSet& rest);

// Turns rsync's \#ooo into the bytes of the name.
std::string unescape_name(std::string_view printed);

}  // namespace inotifysync
