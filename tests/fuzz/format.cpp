// SPDX-License-Identifier: GPL-2.0-or-later
// A --format, a --timefmt, and an event with odd names: lines up to a NUL byte each.
#include "notify_core/format.hpp"

#include "input.hpp"
#include "notify_core/event.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest = fuzz::text(data, size);
  const std::string_view format = fuzz::take(rest, '\0');
  const std::string_view time_format = fuzz::take(rest, '\0');
  const std::string_view ending = fuzz::take(rest, '\0');
  notify_core::Event event;
  event.mask = static_cast<notify_core::EventMask>(size * 2654435761u);
  event.cookie = static_cast<std::uint32_t>(size);
  event.watched = fuzz::take(rest, '\0');
  event.name = rest;
  event.time = {static_cast<std::time_t>(size) * 86400, 123456789};

  auto compiled = notify_core::Format::compile(format, time_format, ending);
  if (!compiled) {
    fuzz::require(!compiled.error().detail.empty());
    return 0;
  }
  std::string once, twice;
  compiled->append(once, event);
  compiled->append(twice, event);
  compiled->append(twice, event);
  fuzz::require(twice == once + once);  // a Format forgets what it printed
  return 0;
}
