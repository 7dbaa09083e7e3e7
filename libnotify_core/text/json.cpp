// SPDX-License-Identifier: GPL-2.0-or-later
#include "text/json.hpp"

#include <cstddef>
#include <cstdint>

namespace notify_core::text {
namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD";  // U+FFFD

std::uint8_t byte_at(std::string_view bytes, std::size_t i) {
  return static_cast<std::uint8_t>(bytes[i]);
}

bool continues(std::string_view bytes, std::size_t i, std::uint8_t lowest = 0x80,
               std::uint8_t highest = 0xBF) {
  return i < bytes.size() && byte_at(bytes, i) >= lowest && byte_at(bytes, i) <= highest;
}

void append_escape(std::string& out, unsigned character) {
  constexpr std::string_view digits = "0123456789abcdef";
  out += "\\u";
  for (const int shift : {12, 8, 4, 0}) out += digits[(character >> shift) & 0xF];
}

void append_escaped(std::string& out, char c) {
  const auto value = static_cast<std::uint8_t>(c);
  switch (c) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      break;
  }
  if (value >= 0x20 && value != 0x7F) {
    out += c;
  } else {
    append_escape(out, value);
  }
}

// JSON takes these as they are, but many a reader of lines ends a line at them: U+0080 to U+009F, U+2028,
// U+2029.
void append_character(std::string& out, std::string_view character) {
  if (character.size() == 1) return append_escaped(out, character.front());
  if (character.size() == 2 && byte_at(character, 0) == 0xC2 && byte_at(character, 1) < 0xA0) {
    return append_escape(out, byte_at(character, 1));
  }
  if (character == "\xE2\x80\xA8" || character == "\xE2\x80\xA9") {
    return append_escape(out, character.back() == '\xA8' ? 0x2028 : 0x2029);
  }
  out += character;
}

}  // namespace

// The table of well-formed sequences in the Unicode standard (3.9): no overlong forms, no surrogates.
std::size_t utf8_character(std::string_view bytes) {
  if (bytes.empty()) return 0;
  const std::uint8_t first = byte_at(bytes, 0);
  if (first < 0x80) return 1;
  if (first < 0xC2 || first > 0xF4) return 0;
  if (first < 0xE0) return continues(bytes, 1) ? 2 : 0;
  if (first < 0xF0) {
    const std::uint8_t lowest = first == 0xE0 ? 0xA0 : 0x80;
    const std::uint8_t highest = first == 0xED ? 0x9F : 0xBF;
    return continues(bytes, 1, lowest, highest) && continues(bytes, 2) ? 3 : 0;
  }
  const std::uint8_t lowest = first == 0xF0 ? 0x90 : 0x80;
  const std::uint8_t highest = first == 0xF4 ? 0x8F : 0xBF;
  return continues(bytes, 1, lowest, highest) && continues(bytes, 2) && continues(bytes, 3) ? 4 : 0;
}

bool is_utf8(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::size_t size = utf8_character(bytes);
    if (size == 0) return false;
    bytes.remove_prefix(size);
  }
  return true;
}

void append_json_string(std::string& out, std::string_view bytes) {
  out += '"';
  while (!bytes.empty()) {
    const std::size_t size = utf8_character(bytes);
    if (size == 0) {
      out += replacement;
    } else {
      append_character(out, bytes.substr(0, size));
    }
    bytes.remove_prefix(size == 0 ? 1 : size);
  }
  out += '"';
}

void append_base64(std::string& out, std::string_view bytes) {
  constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t left = bytes.size() - i;
    std::uint32_t group = std::uint32_t{byte_at(bytes, i)} << 16;
    if (left > 1) group |= std::uint32_t{byte_at(bytes, i + 1)} << 8;
    if (left > 2) group |= byte_at(bytes, i + 2);
    out += letters[group >> 18];
    out += letters[(group >> 12) & 63];
    out += left > 1 ? letters[(group >> 6) & 63] : '=';
    out += left > 2 ? letters[group & 63] : '=';
  }
}

void append_json_bytes(std::string& out, std::string_view key, std::string_view value) {
  append_json_string(out, key);
  out += ':';
  append_json_string(out, value);
  if (is_utf8(value)) return;
  out += ",\"";
  out += key;
  out += "_base64\":\"";
  append_base64(out, value);
  out += '"';
}

}  // namespace notify_core::text
