// SPDX-License-Identifier: GPL-2.0-or-later
// Names of events: what is parsed has bits, and any bits can be printed.
#include "event/event_mask.hpp"

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto bits = notify_core::event::parse_one(text);
  if (bits && *bits == 0) std::abort();

  notify_core::EventMask mask = 0;
  if (size >= sizeof mask) std::memcpy(&mask, data, sizeof mask);
  std::string labels;
  notify_core::event::append_labels(labels, mask, ',');
  if (labels.size() > 200) std::abort();
  return 0;
}
