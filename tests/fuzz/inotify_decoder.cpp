// SPDX-License-Identifier: GPL-2.0-or-later
// Records of inotify(7): whatever the bytes are, no record reaches past them, and there is an end.
#include "backend/inotify_decoder.hpp"

#include "input.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto* bytes = reinterpret_cast<const std::byte*>(data);
  notify_core::backend::InotifyDecoder decoder({bytes, size});
  notify_core::backend::Record record;
  std::size_t records = 0;
  while (decoder.next(record)) {
    records++;
    const auto* name = reinterpret_cast<const std::byte*>(record.name.data());
    fuzz::require(record.name.empty() || (name >= bytes && name + record.name.size() <= bytes + size));
    fuzz::require(record.name.find('\0') == std::string_view::npos);
  }
  fuzz::require(records <= size / 16);  // a record is at least its header
  return 0;
}
