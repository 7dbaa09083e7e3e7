// SPDX-License-Identifier: GPL-2.0-or-later
// Strings of JSON (RFC 8259), from bytes that need not be UTF-8.
#pragma once

#include <string>
#include <string_view>

namespace notify_core::text {

// How many bytes at the beginning of `bytes` form one well-formed UTF-8 character; 0: none do.
std::size_t utf8_character(std::string_view bytes);

bool is_utf8(std::string_view bytes);

// `bytes` in quotes, escaped; each byte that belongs to no UTF-8 character becomes U+FFFD.
void append_json_string(std::string& out, std::string_view bytes);

// RFC 4648, with padding, without quotes.
void append_base64(std::string& out, std::string_view bytes);

// "key":"value", and where `value` is not UTF-8 also "key_base64" with its bytes: nothing is lost.
void append_json_bytes(std::string& out, std::string_view key, std::string_view value);

}  // namespace notify_core::text
