// SPDX-License-Identifier: GPL-2.0-or-later
#include "inotifysync/delivery/source_guard.hpp"

#include <doctest/doctest.h>

#include <cerrno>

using namespace inotifysync;

namespace {

constexpr SourceFacts plain{.is_directory = true, .device = 1, .inode = 100, .filesystem_type = 7};
constexpr SourceFacts mounted{
    .is_directory = true, .device = 2, .inode = 1, .is_mount_root = true, .filesystem_type = 7};
constexpr SourceFacts empty_below{
    .is_directory = true, .device = 1, .inode = 50, .filesystem_type = 9, .is_empty = true};

SourceFacts emptied(SourceFacts facts) {
  facts.is_empty = true;
  return facts;
}

}  // namespace

TEST_CASE("the same directory is trusted, also when its user deleted everything in it") {
  SourceGuard guard(plain);
  CHECK(guard.judge(plain) == SourceVerdict::trusted);
  CHECK(guard.judge(emptied(plain)) == SourceVerdict::trusted);
}

TEST_CASE("gone, unmounted and replaced sources are told apart, and trusted again when back") {
  SourceGuard guard(plain);
  CHECK(guard.judge(SourceFacts{}) == SourceVerdict::missing);
  CHECK(guard.judge(empty_below) == SourceVerdict::unmounted);
  CHECK(guard.judge(SourceFacts{.error = EMFILE}) == SourceVerdict::unseen);
  SourceFacts other = plain;
  other.inode = 101;
  CHECK(guard.judge(other) == SourceVerdict::replaced);
  CHECK(guard.judge(plain) == SourceVerdict::trusted);
}

TEST_CASE("each verdict has words of its own") {
  CHECK(words(SourceVerdict::trusted) == "the source is there");
  CHECK(words(SourceVerdict::missing) == "the source is gone");
  CHECK(words(SourceVerdict::unseen) == "the source cannot be opened");
  CHECK(words(SourceVerdict::unmounted) == "an empty directory is in the source's place: unmounted?");
  CHECK(words(SourceVerdict::replaced) == "another directory is in the source's place");
}

TEST_CASE("a filesystem mounted again may have another device number, but must not be empty") {
  SourceGuard guard(mounted);
  SourceFacts again = mounted;
  again.device = 3;
  again.inode = 1;
  CHECK(guard.judge(emptied(again)) == SourceVerdict::unmounted);
  CHECK(guard.judge(again) == SourceVerdict::trusted);
  CHECK(guard.judge(again) == SourceVerdict::trusted);
}

TEST_CASE("a source that was empty at the start may get its filesystem later") {
  SourceGuard guard(empty_below);
  CHECK(guard.judge(mounted) == SourceVerdict::trusted);
  CHECK(guard.judge(empty_below) == SourceVerdict::unmounted);
}

TEST_CASE("a source that was empty at the start and gave way to another is trusted when it is back") {
  SourceFacts empty = emptied(plain);
  SourceFacts other = plain;
  other.inode = 101;
  SourceGuard guard(empty);
  CHECK(guard.judge(other) == SourceVerdict::trusted);
  CHECK(guard.judge(empty) == SourceVerdict::unmounted);
  CHECK(guard.judge(plain) == SourceVerdict::trusted);
  CHECK(guard.judge(other) == SourceVerdict::replaced);
}

TEST_CASE("what is written where a filesystem is missing is not the source") {
  SourceFacts strewn = empty_below;
  strewn.is_empty = false;
  SourceGuard guard(empty_below);
  CHECK(guard.judge(mounted) == SourceVerdict::trusted);
  CHECK(guard.judge(strewn) == SourceVerdict::replaced);
}

TEST_CASE("what has come in the place of an empty source is not known at first") {
  SourceGuard guard(empty_below);
  CHECK(guard.knows(empty_below));
  CHECK_FALSE(guard.knows(mounted));
  guard.judge(mounted);
  CHECK(guard.knows(mounted));
}

TEST_CASE("a full pass deletes nothing while the source is empty") {
  CHECK(SourceGuard::may_delete_in_full_pass(plain));
  CHECK_FALSE(SourceGuard::may_delete_in_full_pass(emptied(plain)));
  CHECK_FALSE(SourceGuard::may_delete_in_full_pass(SourceFacts{}));
}
