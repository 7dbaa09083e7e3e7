// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/visible.hpp"

#include <fmt/format.h>

namespace notify_tools {
namespace {

bool is_control(unsigned char c) {
  return c < 0x20 || c == 0x7f;
}

// U+0080 to U+009F, of which some terminals take the one for the start of a command.
bool starts_c1(std::string_view text) {
  if (text.size() < 2 || text[0] != '\xc2') return false;
  const auto second = static_cast<unsigned char>(text[1]);
  return second >= 0x80 && second <= 0x9f;
}

void add_escaped(std::string& out, char c) {
  if (c == '\n') {
    out += "\\n";
  } else if (c == '\t') {
    out += "\\t";
  } else {
    out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
  }
}

}  // namespace

std::string visible(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const std::size_t length = starts_c1(text) ? 2 : 1;
    if (length == 1 && !is_control(static_cast<unsigned char>(text[0]))) {
      out += text[0];
    } else {
      for (const char c : text.substr(0, length)) add_escaped(out, c);
    }
    text.remove_prefix(length);
  }
  return out;
}

}  // namespace notify_tools
