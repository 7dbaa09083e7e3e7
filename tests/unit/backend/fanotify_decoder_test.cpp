// SPDX-License-Identifier: GPL-2.0-or-later
#include "backend/fanotify_decoder.hpp"

#include <doctest/doctest.h>
#include <linux/fanotify.h>

#include <cstring>
#include <string>
#include <vector>

#include "event/event_mask.hpp"
#include "fanotify_bytes.hpp"

using namespace notify_core;
using namespace fanotify_bytes;
using backend::FanotifyDecoder;
using backend::FanotifyEvent;

TEST_CASE("an entry: the directory, its name and what it is") {
  const std::string bytes = record(FAN_CREATE | FAN_ONDIR, 42,
                                   info(dfid_name, key(7, "directory"), "name") + info(fid, key(7, "entry")));
  FanotifyDecoder decoder(bytes_of(bytes));
  FanotifyEvent event;
  REQUIRE(decoder.next(event));
  CHECK(event.mask == (mask::create | mask::is_directory));
  CHECK(event.pid == 42);
  CHECK(event.place.directory == key(7, "directory"));
  CHECK(event.place.name == "name");
  CHECK(event.object == key(7, "entry"));
  CHECK_FALSE(event.renamed);
  CHECK_FALSE(decoder.next(event));
}

TEST_CASE("a directory itself is its entry '.'") {
  const std::string bytes = record(FAN_OPEN | FAN_ONDIR, 1, info(dfid, key(1, "d")));
  FanotifyDecoder decoder(bytes_of(bytes));
  FanotifyEvent event;
  REQUIRE(decoder.next(event));
  CHECK(event.place.directory == key(1, "d"));
  CHECK(event.place.name == ".");
}

TEST_CASE("a rename has two places and neither is the event's own") {
  const std::string bytes = record(
      FAN_RENAME, 1,
      info(from_name, key(1, "a"), "old") + info(to_name, key(1, "b"), "new") + info(fid, key(1, "x")));
  FanotifyDecoder decoder(bytes_of(bytes));
  FanotifyEvent event;
  REQUIRE(decoder.next(event));
  CHECK(event.renamed);
  CHECK(event.from.directory == key(1, "a"));
  CHECK(event.from.name == "old");
  CHECK(event.to.directory == key(1, "b"));
  CHECK(event.to.name == "new");
  CHECK(event.object == key(1, "x"));
  CHECK(event.place.directory.empty());
}

TEST_CASE("objects of two filesystems are two, whatever their handles") {
  CHECK(key(1, "same") != key(2, "same"));
  const std::string bytes =
      record(FAN_OPEN, 1, info(fid, key(1, "same"))) + record(FAN_OPEN, 1, info(fid, key(2, "same")));
  FanotifyDecoder decoder(bytes_of(bytes));
  FanotifyEvent first, second;
  REQUIRE(decoder.next(first));
  REQUIRE(decoder.next(second));
  CHECK(first.object != second.object);
}

TEST_CASE("an overflow is a record without any object") {
  const std::string bytes = record(FAN_Q_OVERFLOW, 0, {});
  FanotifyDecoder decoder(bytes_of(bytes));
  FanotifyEvent event;
  REQUIRE(decoder.next(event));
  CHECK(event.mask == mask::q_overflow);
  CHECK(event.object.empty());
}

TEST_CASE("kinds of information unknown here are passed over") {
  std::string unknown(12, '\0');
  unknown[0] = 77;
  unknown[2] = 12;
  const std::string bytes = record(FAN_MODIFY, 1, unknown + info(fid, key(1, "x")));
  FanotifyDecoder decoder(bytes_of(bytes));
  FanotifyEvent event;
  REQUIRE(decoder.next(event));
  CHECK(event.object == key(1, "x"));
}

TEST_CASE("a record that is cut short, or lies about its length, ends the reading") {
  const std::string whole = record(FAN_CREATE, 1, info(dfid_name, key(1, "directory"), "name"));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const std::string cut = whole.substr(0, size);
    FanotifyDecoder decoder(bytes_of(cut));
    FanotifyEvent event;
    CHECK_FALSE(decoder.next(event));
    CHECK_FALSE(decoder.next(event));
  }
  for (std::size_t at : {std::size_t{4}, std::size_t{6}, std::size_t{26}, std::size_t{36}}) {
    std::string bent = whole;  // version, header's length, information's length, handle's length
    bent[at] = '\xff';
    bent[at + 1] = '\xff';
    FanotifyDecoder decoder(bytes_of(bent));
    FanotifyEvent event;
    CHECK_FALSE(decoder.next(event));
  }
}

TEST_CASE("fanotify has inotify's bits, and its table says so") {
  for (const event::EventKind& kind : event::kinds) {
    if (kind.fanotify_bits == 0 || kind.bits == mask::is_directory) continue;
    CHECK(kind.fanotify_bits == kind.bits);
  }
}
