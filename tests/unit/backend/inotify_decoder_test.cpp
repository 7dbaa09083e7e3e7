// SPDX-License-Identifier: GPL-2.0-or-later
#include "backend/inotify_decoder.hpp"

#include <doctest/doctest.h>
#include <sys/inotify.h>

#include <cstring>
#include <span>
#include <string>
#include <vector>

using namespace notify_core;
using backend::InotifyDecoder;
using backend::Record;

namespace {

void put(std::vector<std::byte>& bytes, int watch, std::uint32_t mask, std::uint32_t cookie, std::string name,
         std::size_t padding) {
  name.resize(name.size() + padding, '\0');
  const inotify_event header{watch, mask, cookie, static_cast<std::uint32_t>(name.size())};
  const auto* raw = reinterpret_cast<const std::byte*>(&header);
  bytes.insert(bytes.end(), raw, raw + sizeof(inotify_event));
  raw = reinterpret_cast<const std::byte*>(name.data());
  bytes.insert(bytes.end(), raw, raw + name.size());
}

}  // namespace

TEST_CASE("records come out as they went in") {
  std::vector<std::byte> bytes;
  put(bytes, 5, IN_CREATE | IN_ISDIR, 0, "dir", 13);
  put(bytes, 6, IN_MOVED_FROM, 77, std::string(255, 'x'), 1);
  put(bytes, 7, IN_DELETE_SELF, 0, "", 0);
  put(bytes, -1, IN_Q_OVERFLOW, 0, "", 0);
  InotifyDecoder decoder(bytes);
  Record record;
  REQUIRE(decoder.next(record));
  CHECK(record.watch == 5);
  CHECK(record.mask == (mask::create | mask::is_directory));
  CHECK(record.name == "dir");
  REQUIRE(decoder.next(record));
  CHECK(record.cookie == 77);
  CHECK(record.name == std::string(255, 'x'));
  REQUIRE(decoder.next(record));
  CHECK(record.name.empty());
  REQUIRE(decoder.next(record));
  CHECK(record.mask == mask::q_overflow);
  CHECK(record.watch == -1);
  CHECK_FALSE(decoder.next(record));
}

TEST_CASE("a record cut short anywhere ends the batch") {
  std::vector<std::byte> whole;
  put(whole, 1, IN_OPEN, 0, "name", 12);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    InotifyDecoder decoder({whole.data(), size});
    Record record;
    CHECK_FALSE(decoder.next(record));
  }
}

TEST_CASE("a name without a NUL is as long as the record says") {
  std::vector<std::byte> bytes;
  put(bytes, 1, IN_OPEN, 0, "abcd", 0);
  InotifyDecoder decoder(bytes);
  Record record;
  REQUIRE(decoder.next(record));
  CHECK(record.name == "abcd");
}
