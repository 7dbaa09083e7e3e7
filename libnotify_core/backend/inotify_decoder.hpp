// SPDX-License-Identifier: GPL-2.0-or-later
// Bytes of inotify(7) to records: a pure function over what read(2) returned, in place.
#pragma once

#include <cstddef>
#include <span>

#include "backend/backend.hpp"

namespace notify_core::backend {

class InotifyDecoder {
 public:
  InotifyDecoder() = default;
  explicit InotifyDecoder(std::span<const std::byte> bytes) : bytes_(bytes) {}

  // False at the end, and for a record that is cut short or claims to be longer than what is there. What
  // inotify does not tell is left as it is.
  bool next(Record& record);
  // What next() has not given yet.
  std::span<const std::byte> rest() const { return bytes_; }

 private:
  std::span<const std::byte> bytes_;
};

}  // namespace notify_core::backend
