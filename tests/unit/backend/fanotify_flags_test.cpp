// SPDX-License-Identifier: GPL-2.0-or-later
#include "backend/fanotify_flags.hpp"

#include <doctest/doctest.h>
#include <linux/fanotify.h>

#include <cerrno>
#include <functional>

#include "event/event_mask.hpp"

using namespace notify_core;
using namespace notify_core::backend;

namespace {

constexpr unsigned target_fid = 0x1000;
constexpr unsigned unlimited = FAN_UNLIMITED_QUEUE | FAN_UNLIMITED_MARKS;

// Asks a kernel, which says 0 or minus the errno, as long as there is something to ask for. The flags it
// took, or what it said last.
struct Answer {
  unsigned flags = 0;
  int status = 0;
  int times = 0;
};

Answer ask(FanotifyScope scope, const std::function<int(unsigned)>& kernel) {
  Answer answer;
  for (std::optional<FanotifyGroup> group = FanotifyGroup{}; group;
       group = next_best(*group, answer.status, scope)) {
    ++answer.times;
    answer.flags = group->flags();
    answer.status = kernel(answer.flags);
    if (answer.status == 0) break;
  }
  return answer;
}

constexpr FanotifyScope both[] = {FanotifyScope::objects, FanotifyScope::filesystems};

}  // namespace

TEST_CASE("a kernel that has everything is asked once") {
  for (const FanotifyScope scope : both) {
    const Answer answer = ask(scope, [](unsigned) { return 0; });
    CHECK(answer.times == 1);
    CHECK((answer.flags & target_fid) != 0);
    CHECK((answer.flags & unlimited) == unlimited);
    CHECK((answer.flags & (FAN_REPORT_DIR_FID | FAN_REPORT_NAME | FAN_REPORT_FID)) ==
          (FAN_REPORT_DIR_FID | FAN_REPORT_NAME | FAN_REPORT_FID));
  }
}

TEST_CASE("before Linux 5.17 records do not say what was made or removed") {
  for (const FanotifyScope scope : both) {
    const Answer answer = ask(scope, [](unsigned flags) { return flags & target_fid ? -EINVAL : 0; });
    CHECK(answer.status == 0);
    CHECK((answer.flags & unlimited) == unlimited);
  }
}

TEST_CASE("an ordinary user has a limited queue, and no filesystem") {
  const auto kernel = [](unsigned flags) { return flags & unlimited ? -EPERM : 0; };
  const Answer objects = ask(FanotifyScope::objects, kernel);
  CHECK(objects.status == 0);
  CHECK((objects.flags & target_fid) != 0);
  const Answer filesystems = ask(FanotifyScope::filesystems, kernel);
  CHECK(filesystems.status == -EPERM);
  CHECK(filesystems.times == 1);
}

TEST_CASE("an ordinary user before Linux 5.17, whichever of the two is looked at first") {
  for (const bool rights_first : {false, true}) {
    const Answer answer = ask(FanotifyScope::objects, [&](unsigned flags) {
      const int rights = flags & unlimited ? -EPERM : 0, known = flags & target_fid ? -EINVAL : 0;
      return rights_first ? (rights ? rights : known) : (known ? known : rights);
    });
    CHECK(answer.status == 0);
    CHECK(answer.times == 3);
  }
}

TEST_CASE("no kernel is asked for ever") {
  for (const FanotifyScope scope : both) {
    for (const int status : {-EPERM, -EINVAL, -ENOSYS, -EMFILE, -ENOMEM}) {
      const Answer answer = ask(scope, [&](unsigned) { return status; });
      CHECK(answer.status == status);
      CHECK(answer.times <= 3);
    }
  }
}

TEST_CASE("a mark asks for renames as one record, and without them for their halves") {
  const FanotifyMark best;
  CHECK((best.mask(FanotifyScope::objects, mask::move) & FAN_RENAME) != 0);
  CHECK((best.mask(FanotifyScope::objects, mask::move) & mask::move) == 0);
  CHECK((best.mask(FanotifyScope::objects, mask::create) & FAN_RENAME) == 0);
  const auto next = next_best(best, -EINVAL, FanotifyScope::objects, false);
  REQUIRE(next);
  CHECK((next->mask(FanotifyScope::objects, mask::move) & FAN_RENAME) == 0);
  CHECK((next->mask(FanotifyScope::objects, mask::move) & mask::move) == mask::move);
  CHECK_FALSE(next_best(*next, -EINVAL, FanotifyScope::objects, false));
}

TEST_CASE("the mark of a filesystem asks for what makes and moves directories, whatever is wanted") {
  const std::uint64_t mask = FanotifyMark{}.mask(FanotifyScope::filesystems, mask::modify);
  for (const std::uint64_t bit :
       {std::uint64_t{mask::create}, std::uint64_t{mask::remove}, std::uint64_t{FAN_RENAME},
        std::uint64_t{mask::delete_self}, std::uint64_t{mask::modify}})
    CHECK((mask & bit) != 0);
}

TEST_CASE("of files, what is asked for only to follow directories is ignored") {
  const FanotifyMark best;
  CHECK(best.ignored_of_files(mask::modify) ==
        (std::uint64_t{mask::create} | mask::remove | mask::delete_self | FAN_RENAME));
  CHECK(best.ignored_of_files(mask::create | mask::remove) ==
        (std::uint64_t{mask::delete_self} | FAN_RENAME));
  CHECK(best.ignored_of_files(mask::moved_to) ==
        (std::uint64_t{mask::create} | mask::remove | mask::delete_self));
  CHECK(best.ignored_of_files(mask::move_self) ==
        (std::uint64_t{mask::create} | mask::remove | mask::delete_self));
  CHECK(best.ignored_of_files(mask::delete_self) == (std::uint64_t{mask::create} | FAN_RENAME));
  CHECK(best.ignored_of_files(mask::all_events) == 0);
  const FanotifyMark older{.renames = false};
  CHECK(older.ignored_of_files(mask::create | mask::remove | mask::delete_self) == mask::move);
}

TEST_CASE("of a filesystem, the ends of directories are told where their removal is not all") {
  for (const EventMask events : {mask::create | mask::remove, mask::move | mask::move_self})
    CHECK_FALSE(tells_ends(FanotifyScope::filesystems, events));
  for (const EventMask events : {mask::create | mask::close_write, mask::delete_self, mask::attrib})
    CHECK(tells_ends(FanotifyScope::filesystems, events));
  CHECK(tells_ends(FanotifyScope::objects, mask::create));
  CHECK((FanotifyMark{}.mask(FanotifyScope::filesystems, mask::create) & mask::delete_self) == 0);
  CHECK((FanotifyMark{}.mask(FanotifyScope::objects, mask::create) & mask::delete_self) != 0);
}

TEST_CASE("a file is not asked for what directories have") {
  const auto next = next_best(FanotifyMark{}, -ENOTDIR, FanotifyScope::objects, true);
  REQUIRE(next);
  const std::uint64_t mask = next->mask(FanotifyScope::objects, mask::all_events);
  CHECK((mask & (FAN_ONDIR | FAN_EVENT_ON_CHILD | FAN_RENAME | mask::move | mask::create | mask::remove)) ==
        0);
  CHECK((mask & mask::modify) != 0);
  CHECK_FALSE(next_best(FanotifyMark{}, -ENOTDIR, FanotifyScope::objects, false));
}

TEST_CASE("in a subvolume the top is marked, but no other object") {
  const auto next = next_best(FanotifyMark{}, -EXDEV, FanotifyScope::filesystems, false);
  REQUIRE(next);
  CHECK(next->at_top);
  CHECK_FALSE(next_best(*next, -EXDEV, FanotifyScope::filesystems, false));
  CHECK_FALSE(next_best(FanotifyMark{}, -EXDEV, FanotifyScope::objects, false));
}

TEST_CASE("a mark refused for good is not asked for again") {
  for (const FanotifyScope scope : both) {
    for (const int status : {-ENOSPC, -ENODEV, -EOPNOTSUPP, -EPERM, -ENOENT, -EACCES})
      CHECK_FALSE(next_best(FanotifyMark{}, status, scope, true));
  }
}
