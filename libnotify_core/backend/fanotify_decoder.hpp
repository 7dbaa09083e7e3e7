// SPDX-License-Identifier: GPL-2.0-or-later
// Bytes of fanotify(7) to records: a pure function over what read(2) returned, in place.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "notify_core/event.hpp"

namespace notify_core::backend {

// An object of a filesystem as the kernel names it: the filesystem's id and the file handle, byte for byte.
// Equal bytes, the same object. Empty: not told.
using ObjectKey = std::string_view;

struct FanotifyEvent {
  // A directory, and an entry in it. "." is the directory itself.
  struct Place {
    ObjectKey directory;
    std::string_view name;
  };
  EventMask mask = 0;    // inotify's bits; a rename shows in `from` and `to` alone
  bool renamed = false;  // FAN_RENAME: `from` and `to` instead of `place`; one may be missing
  std::int32_t pid = 0;
  Place place;
  Place from;
  Place to;
  ObjectKey object;  // what it happened to
};

class FanotifyDecoder {
 public:
  FanotifyDecoder() = default;
  explicit FanotifyDecoder(std::span<const std::byte> bytes) : bytes_(bytes) {}

  // False at the end, and for a record that is cut short, claims more than what is there, or is of a version
  // of the interface unknown here.
  bool next(FanotifyEvent& event);

 private:
  std::span<const std::byte> bytes_;
};

}  // namespace notify_core::backend
