// SPDX-License-Identifier: GPL-2.0-or-later
#include "backend/fanotify_foresight.hpp"

#include <doctest/doctest.h>
#include <linux/fanotify.h>

#include <string>
#include <vector>

#include "event/event_mask.hpp"
#include "fanotify_bytes.hpp"

using namespace notify_core;
using namespace fanotify_bytes;
using backend::FanotifyForesight;

namespace {

// Entries of directories, all by one letter: the handle of an object is its letter, too.
std::string entry(std::uint64_t mask, const std::string& directory, const std::string& name,
                  const std::string& object) {
  return record(mask, 1, info(dfid_name, key(1, directory), name) + info(fid, key(1, object)));
}

std::string rename(const std::string& from, const std::string& to, const std::string& object,
                   std::uint64_t more = FAN_ONDIR) {
  return record(FAN_RENAME | more, 1,
                info(from_name, key(1, from.substr(0, 1)), from.substr(1)) +
                    info(to_name, key(1, to.substr(0, 1)), to.substr(1)) + info(fid, key(1, object)));
}

constexpr std::uint64_t made = FAN_CREATE, removed = FAN_DELETE, dir = FAN_ONDIR;

// Looks through records that stay where they are.
struct Looked {
  explicit Looked(std::vector<std::string> records) {
    for (const std::string& one : records) bytes += one;
    foresight.take_in(bytes_of(bytes));
  }
  std::string bytes;
  FanotifyForesight foresight;
};

}  // namespace

TEST_CASE("where a directory will have been when it left") {
  Looked looked({entry(made, "x", "f", "f"), rename("dx", "dy", "x"), rename("dy", "ez", "x"),
                 entry(removed | dir, "e", "z", "x"), entry(removed, "d", "f", "f")});
  const auto* first = looked.foresight.departure(key(1, "x"), 0);
  REQUIRE(first != nullptr);
  CHECK(first->position == 1);
  CHECK(first->place.directory == key(1, "d"));
  CHECK(first->place.name == "x");
  CHECK_FALSE(first->removed);
  const auto* last = looked.foresight.departure(key(1, "x"), 3);
  REQUIRE(last != nullptr);
  CHECK(last->removed);
  CHECK(last->place.name == "z");
  CHECK(looked.foresight.departure(key(1, "x"), 4) == nullptr);
  CHECK_MESSAGE(looked.foresight.departure(key(1, "f"), 0) == nullptr, "no directory");
}

TEST_CASE("what is read later is seen as well") {
  const std::string first = entry(made, "x", "f", "f"), second = entry(removed | dir, "d", "x", "x");
  FanotifyForesight foresight;
  foresight.take_in(bytes_of(first));
  CHECK(foresight.departure(key(1, "x"), 0) == nullptr);
  foresight.take_in(bytes_of(second));
  REQUIRE(foresight.departure(key(1, "x"), 0) != nullptr);
  CHECK(foresight.departure(key(1, "x"), 0)->position == 1);
  foresight.clear();
  CHECK(foresight.departure(key(1, "x"), 0) == nullptr);
}

TEST_CASE("a directory made and removed ends after what happened in it") {
  Looked looked({entry(made | removed | dir, "d", "x", "x"), entry(made | removed | dir, "x", "y", "y"),
                 entry(made | removed, "y", "f", "f"), entry(made, "d", "g", "g")});
  CHECK(looked.foresight.end_of(0) == 2);
  CHECK(looked.foresight.end_of(1) == 2);
  CHECK_MESSAGE(looked.foresight.end_of(2) == 2, "a file");
}

TEST_CASE("a directory ends no earlier than one that ended in it, wherever that was moved") {
  Looked looked({entry(made | removed | dir, "d", "x", "x"), entry(made | removed | dir, "x", "y", "y"),
                 entry(made, "d", "g", "g"), entry(made | removed, "y", "f", "f")});
  CHECK(looked.foresight.end_of(1) == 3);
  CHECK(looked.foresight.end_of(0) == 3);
}

TEST_CASE("a file made and removed ends after its renames") {
  Looked looked({entry(made | removed, "d", "a", "o"), rename("da", "db", "o", 0), rename("db", "da", "o", 0),
                 entry(made | removed, "d", "c", "p")});
  CHECK(looked.foresight.end_of(0) == 2);
  CHECK(looked.foresight.end_of(3) == 3);
  CHECK(looked.foresight.missing_before(0) == nullptr);
  CHECK(looked.foresight.wanderers().empty());
}

TEST_CASE("the renames of another name of a file do not matter") {
  Looked looked({entry(made | removed, "d", "a", "o"), rename("dx", "dy", "o", 0)});
  CHECK(looked.foresight.end_of(0) == 0);
}

TEST_CASE("renamed to and fro: it may be at either place") {
  Looked looked({rename("da", "db", "o"), rename("db", "da", "o")});
  REQUIRE(looked.foresight.wanderers().size() == 1);
  const auto& wanderer = looked.foresight.wanderers()[0];
  CHECK(wanderer.last.to.name == "a");
  REQUIRE(wanderer.elsewhere.size() == 1);
  CHECK(wanderer.elsewhere[0].name == "b");
}

TEST_CASE("renamed on and on: nothing can be missing") {
  Looked looked({rename("da", "db", "o"), rename("db", "ec", "o"), rename("ec", "ed", "o")});
  CHECK(looked.foresight.wanderers().empty());
  for (const std::size_t position : {0U, 1U, 2U}) CHECK(looked.foresight.missing_before(position) == nullptr);
}

TEST_CASE("a rename from where it cannot be has another one before it") {
  Looked looked({rename("da", "db", "o"), rename("db", "da", "o"), rename("db", "dc", "o")});
  const auto* missing = looked.foresight.missing_before(2);
  REQUIRE(missing != nullptr);
  CHECK(missing->renamed);
  CHECK(missing->from.name == "a");
  CHECK(missing->to.name == "b");
  CHECK(missing->object == key(1, "o"));
  CHECK(missing->mask == mask::is_directory);
  CHECK(looked.foresight.wanderers().empty());
}

TEST_CASE("so has a removal") {
  for (const std::uint64_t kind : {dir, std::uint64_t{0}}) {
    Looked looked(
        {rename("da", "db", "o", kind), rename("db", "da", "o", kind), entry(removed | kind, "d", "b", "o")});
    const auto* missing = looked.foresight.missing_before(2);
    REQUIRE(missing != nullptr);
    CHECK(missing->to.name == "b");
    CHECK(looked.foresight.wanderers().empty());
  }
}

TEST_CASE("two names of one file are no wandering") {
  Looked looked({rename("da", "db", "o", 0), rename("dx", "dy", "o", 0), entry(removed, "d", "b", "o")});
  CHECK(looked.foresight.wanderers().empty());
  CHECK(looked.foresight.missing_before(1) == nullptr);
  CHECK(looked.foresight.missing_before(2) == nullptr);
}
