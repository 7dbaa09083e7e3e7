// SPDX-License-Identifier: GPL-2.0-or-later
// Any bytes as a JSON string: well-formed, printable, and when they were UTF-8, the same bytes when read
// back.
#include "text/json.hpp"

#include "input.hpp"

namespace {

unsigned hex(std::string_view digits) {
  return static_cast<unsigned>(std::stoul(std::string(digits), nullptr, 16));
}

void append_utf8(std::string& out, unsigned code) {
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xc0 | code >> 6);
    out += static_cast<char>(0x80 | (code & 0x3f));
  } else {
    out += static_cast<char>(0xe0 | code >> 12);
    out += static_cast<char>(0x80 | (code >> 6 & 0x3f));
    out += static_cast<char>(0x80 | (code & 0x3f));
  }
}

// Reads the string literal back, refusing what RFC 8259 does not allow in one.
std::string read_string(std::string_view literal) {
  fuzz::require(literal.size() >= 2 && literal.front() == '"' && literal.back() == '"');
  literal = literal.substr(1, literal.size() - 2);
  std::string out;
  for (std::size_t at = 0; at < literal.size(); ++at) {
    const char c = literal[at];
    fuzz::require(c != '"' && static_cast<unsigned char>(c) >= 0x20);
    if (c != '\\') {
      out += c;
      continue;
    }
    fuzz::require(++at < literal.size());
    const std::string_view plain = "\"\\/bfnrt", meant = "\"\\/\b\f\n\r\t";
    if (const auto which = plain.find(literal[at]); which != std::string_view::npos) {
      out += meant[which];
    } else {
      fuzz::require(literal[at] == 'u' && at + 4 < literal.size());
      const unsigned code = hex(literal.substr(at + 1, 4));
      fuzz::require(code < 0x10000 && (code < 0xd800 || code > 0xdfff));
      append_utf8(out, code);
      at += 4;
    }
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace notify_core::text;
  const std::string_view bytes = fuzz::text(data, size);
  std::string literal;
  append_json_string(literal, bytes);
  const std::string read = read_string(literal);
  fuzz::require(is_utf8(read));
  fuzz::require((read == bytes) == is_utf8(bytes));

  std::string base64, member;
  append_base64(base64, bytes);
  fuzz::require(base64.size() == (size + 2) / 3 * 4);
  append_json_bytes(member, "name", bytes);
  fuzz::require((member.find("\"name_base64\":") != std::string::npos && !is_utf8(bytes)) ||
                member == "\"name\":" + literal);
  return 0;
}
