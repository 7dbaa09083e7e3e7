// SPDX-License-Identifier: GPL-2.0-or-later
// The bytes a fuzz target is given, as text to take pieces from.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

namespace fuzz {

inline std::string_view text(const std::uint8_t* data, std::size_t size) {
  return size == 0 ? std::string_view() : std::string_view(reinterpret_cast<const char*>(data), size);
}

// What comes before the next `separator`, which is dropped; all of it where there is none.
inline std::string_view take(std::string_view& rest, char separator) {
  const std::size_t end = rest.find(separator);
  const std::string_view piece = rest.substr(0, end);
  rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
  return piece;
}

// A promise that does not hold ends the run, so that the input is kept.
inline void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace fuzz
