// SPDX-License-Identifier: GPL-2.0-or-later
// Records in any order and of any sense, read in two pieces: what is foreseen lies in what was read, and is
// the same whether somebody asked between the pieces or not.
//
// The first byte says where the second piece begins. Then three bytes make a record: what happened, to which
// of eight objects in which of eight directories, and to where it was renamed. The objects are directories,
// too.
#include "backend/fanotify_foresight.hpp"

#include <linux/fanotify.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "../unit/backend/fanotify_bytes.hpp"
#include "event/event_mask.hpp"
#include "input.hpp"

namespace {

using namespace notify_core;
using backend::FanotifyEvent;
using backend::FanotifyForesight;
using fanotify_bytes::bytes_of;

std::string letter(unsigned number) {
  return std::string(1, static_cast<char>('a' + number % 8));
}

std::string record(const std::uint8_t* bytes) {
  using namespace fanotify_bytes;
  constexpr std::uint64_t masks[] = {FAN_CREATE, FAN_DELETE, FAN_CREATE | FAN_DELETE, FAN_RENAME,
                                     FAN_RENAME, FAN_MODIFY, FAN_DELETE_SELF,         FAN_MOVED_TO};
  const std::uint64_t mask = masks[bytes[0] % 8] | (bytes[0] & 8 ? FAN_ONDIR : 0);
  const std::string object = bytes[0] & 16 ? std::string() : info(fid, key(1, letter(bytes[1])));
  const std::string from = key(1, letter(bytes[1] >> 3U)), to = key(1, letter(bytes[2]));
  const std::string name = letter(bytes[1] >> 6U), new_name = letter(bytes[2] >> 3U);
  if ((mask & FAN_RENAME) == 0) return fanotify_bytes::record(mask, 1, info(dfid_name, from, name) + object);
  const std::string halves = (bytes[2] & 64 ? std::string() : info(from_name, from, name)) +
                             (bytes[2] & 128 ? std::string() : info(to_name, to, new_name));
  return fanotify_bytes::record(mask, 1, halves + object);
}

bool same(const FanotifyEvent::Place& a, const FanotifyEvent::Place& b) {
  return a.name == b.name && a.directory == b.directory;
}

bool same(const FanotifyEvent* a, const FanotifyEvent* b) {
  if (a == nullptr || b == nullptr) return a == b;
  return same(a->from, b->from) && same(a->to, b->to) && a->object == b->object && a->mask == b->mask;
}

void ask(FanotifyForesight& foresight, std::size_t count) {
  for (std::size_t position = 0; position < count; ++position) {
    const std::size_t end = foresight.end_of(position);
    fuzz::require(end >= position && end < count);
    if (const FanotifyEvent* missing = foresight.missing_before(position)) {
      fuzz::require(missing->renamed && !missing->object.empty() && !same(missing->from, missing->to));
    }
  }
  for (unsigned number = 0; number < 8; ++number) {
    const std::string directory = fanotify_bytes::key(1, letter(number));
    std::size_t after = 0;
    while (const auto* departure = foresight.departure(directory, after)) {
      fuzz::require(departure->position >= after && departure->position < count);
      after = departure->position + 1;
    }
  }
  for (const FanotifyForesight::Wanderer& wanderer : foresight.wanderers()) {
    for (const FanotifyEvent::Place& place : wanderer.elsewhere) {
      fuzz::require(!same(place, wanderer.last.to));
    }
  }
}

void compare(FanotifyForesight& one, FanotifyForesight& other, std::size_t count) {
  for (std::size_t position = 0; position < count; ++position) {
    fuzz::require(one.end_of(position) == other.end_of(position));
    fuzz::require(same(one.missing_before(position), other.missing_before(position)));
  }
  fuzz::require(one.wanderers().size() == other.wanderers().size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::size_t count = (size - 1) / 3, first = count == 0 ? 0 : data[0] % (count + 1);
  std::string pieces[2];
  for (std::size_t i = 0; i < count; ++i) pieces[i >= first] += record(data + 1 + 3 * i);
  FanotifyForesight asked, silent;
  asked.take_in(bytes_of(pieces[0]));
  ask(asked, first);
  asked.take_in(bytes_of(pieces[1]));
  ask(asked, count);
  for (const std::string& piece : pieces) silent.take_in(bytes_of(piece));
  compare(asked, silent, count);
  asked.clear();
  ask(asked, 0);
  return 0;
}
