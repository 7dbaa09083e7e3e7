// SPDX-License-Identifier: GPL-2.0-or-later
// Whatever bytes come from the kernel: no read beyond them, every view inside them, and an end.
#include "backend/fanotify_decoder.hpp"

#include <cstdint>
#include <cstdlib>
#include <span>

namespace {

void check_inside(std::string_view part, std::span<const std::byte> whole) {
  if (part.empty() || part == ".") return;  // "." may be the decoder's own
  const char* begin = reinterpret_cast<const char*>(whole.data());
  if (part.data() < begin || part.data() + part.size() > begin + whole.size()) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::span<const std::byte> bytes(reinterpret_cast<const std::byte*>(data), size);
  notify_core::backend::FanotifyDecoder decoder(bytes);
  notify_core::backend::FanotifyEvent event;
  for (std::size_t records = 0; decoder.next(event); ++records) {
    if (records > size / 24) std::abort();
    for (const auto& place : {event.place, event.from, event.to}) {
      check_inside(place.directory, bytes);
      check_inside(place.name, bytes);
    }
    check_inside(event.object, bytes);
  }
  return 0;
}
