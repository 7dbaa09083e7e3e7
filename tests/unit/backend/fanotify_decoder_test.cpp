// SPDX-License-Identifier: GPL-2.0-or-later
#include "backend/fanotify_decoder.hpp"

#include <doctest/doctest.h>
#include <linux/fanotify.h>

#include <cstring>
#include <string>
#include <vector>

#include "event/event_mask.hpp"

using namespace notify_core;
using backend::FanotifyDecoder;
using backend::FanotifyEvent;

namespace {

constexpr std::uint8_t fid = 1, dfid_name = 2, dfid = 3, from_name = 10, to_name = 12;

// A handle of as many bytes as `text` has, on filesystem `filesystem`.
std::string key(std::uint64_t filesystem, const std::string& text) {
  std::string bytes(reinterpret_cast<const char*>(&filesystem), sizeof filesystem);
  const auto length = static_cast<std::uint32_t>(text.size());
  const std::int32_t type = 1;
  bytes.append(reinterpret_cast<const char*>(&length), sizeof length);
  bytes.append(reinterpret_cast<const char*>(&type), sizeof type);
  return bytes + text;
}

std::string info(std::uint8_t type, const std::string& object, const std::string& name = {}) {
  std::string bytes = {static_cast<char>(type), '\0', '\0', '\0'};
  bytes += object;
  if (type != fid && type != dfid) bytes += name + '\0';
  while (bytes.size() % 4 != 0) bytes += '\0';
  const auto length = static_cast<std::uint16_t>(bytes.size());
  std::memcpy(bytes.data() + 2, &length, sizeof length);
  return bytes;
}

std::string record(std::uint64_t mask, int pid, const std::string& infos) {
  fanotify_event_metadata header{};
  header.event_len = static_cast<std::uint32_t>(sizeof header + infos.size());
  header.metadata_len = sizeof header;
  header.vers = FANOTIFY_METADATA_VERSION;
  header.mask = mask;
  header.fd = FAN_NOFD;
  header.pid = pid;
  return std::string(reinterpret_cast<const char*>(&header), sizeof header) + infos;
}

std::span<const std::byte> bytes_of(const std::string& text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

}  // namespace

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
