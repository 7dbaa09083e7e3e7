// SPDX-License-Identifier: GPL-2.0-or-later
#include "backend/fanotify_decoder.hpp"

#include <linux/fanotify.h>

#include <cstring>

#include "event/event_mask.hpp"  // FAN_RENAME, where the headers lack it

namespace notify_core::backend {
namespace {

// fanotify gave its bits the values that inotify's have.
static_assert(FAN_ACCESS == mask::access && FAN_MODIFY == mask::modify && FAN_ATTRIB == mask::attrib);
static_assert(FAN_CLOSE_WRITE == mask::close_write && FAN_CLOSE_NOWRITE == mask::close_nowrite);
static_assert(FAN_OPEN == mask::open && FAN_MOVED_FROM == mask::moved_from && FAN_MOVED_TO == mask::moved_to);
static_assert(FAN_CREATE == mask::create && FAN_DELETE == mask::remove);
static_assert(FAN_DELETE_SELF == mask::delete_self && FAN_MOVE_SELF == mask::move_self);
static_assert(FAN_Q_OVERFLOW == mask::q_overflow && FAN_ONDIR == mask::is_directory);
constexpr EventMask shared_bits = mask::all_events | mask::q_overflow | mask::is_directory;

// The kernel's headers of before 5.17 lack these numbers.
constexpr std::uint8_t info_fid = 1, info_dfid_name = 2, info_dfid = 3, info_old = 10, info_new = 12;

// The parts of a record that follow its header: a header of four bytes, the id of the filesystem, the handle
// (its length, its type, its bytes), and of some a name that ends in NUL.
struct Info {
  std::uint8_t type;
  ObjectKey object;
  std::string_view name;
};

constexpr std::size_t info_header = 4;
constexpr std::size_t handle_bytes_at = 8;  // from the filesystem's id on
constexpr std::size_t key_header = 16;      // id, length, type

bool read_info(std::span<const std::byte> bytes, Info& info) {
  if (bytes.size() < info_header + key_header) return false;
  const char* key = reinterpret_cast<const char*>(bytes.data()) + info_header;
  const std::size_t room = bytes.size() - info_header - key_header;
  std::uint32_t length;
  std::memcpy(&length, key + handle_bytes_at, sizeof length);
  if (length > room) return false;
  info.type = static_cast<std::uint8_t>(bytes[0]);
  info.object = {key, key_header + length};
  const char* name = key + key_header + length;
  info.name = {name, ::strnlen(name, room - length)};
  return true;
}

void take_in(const Info& info, FanotifyEvent& event) {
  switch (info.type) {
    case info_fid:
      event.object = info.object;
      break;
    case info_dfid:
      event.place = {info.object, "."};
      break;
    case info_dfid_name:
      event.place = {info.object, info.name};
      break;
    case info_old:
      event.from = {info.object, info.name};
      break;
    case info_new:
      event.to = {info.object, info.name};
      break;
    default:
      break;
  }
}

bool has_handle(std::uint8_t type) {
  return type == info_fid || type == info_dfid_name || type == info_dfid || type == info_old ||
         type == info_new;
}

}  // namespace

bool FanotifyDecoder::next(FanotifyEvent& event) {
  fanotify_event_metadata header;
  std::span<const std::byte> rest = bytes_;
  bytes_ = {};
  if (rest.size() < sizeof header) return false;
  std::memcpy(&header, rest.data(), sizeof header);
  if (header.vers != FANOTIFY_METADATA_VERSION || header.metadata_len < sizeof header ||
      header.event_len < header.metadata_len || header.event_len > rest.size()) {
    return false;
  }
  event = {};
  event.mask = static_cast<EventMask>(header.mask) & shared_bits;
  event.renamed = (header.mask & FAN_RENAME) != 0;
  event.pid = header.pid;
  std::span<const std::byte> infos = rest.first(header.event_len).subspan(header.metadata_len);
  while (infos.size() >= info_header) {
    std::uint16_t length;
    std::memcpy(&length, infos.data() + 2, sizeof length);
    if (length < info_header || length > infos.size()) return false;
    Info info;
    if (has_handle(static_cast<std::uint8_t>(infos[0]))) {
      if (!read_info(infos.first(length), info)) return false;
      take_in(info, event);
    }
    infos = infos.subspan(length);
  }
  bytes_ = rest.subspan(header.event_len);
  return true;
}

}  // namespace notify_core::backend
