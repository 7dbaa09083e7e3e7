// SPDX-License-Identifier: GPL-2.0-or-later
#include "text/json.hpp"

#include <doctest/doctest.h>

using namespace notify_core::text;
using namespace std::string_literals;

namespace {

std::string json(std::string_view bytes) {
  std::string out;
  append_json_string(out, bytes);
  return out;
}

std::string base64(std::string_view bytes) {
  std::string out;
  append_base64(out, bytes);
  return out;
}

}  // namespace

TEST_CASE("what JSON wants escaped") {
  CHECK(json("a\"b\\c/") == R"("a\"b\\c/")");
  CHECK(json("\n\r\t") == R"("\n\r\t")");
  CHECK(json("\x01\x1f\x7f\0"s) == R"("\u0001\u001f\u007f\u0000")");
}

TEST_CASE("what some take for the end of a line is escaped") {
  CHECK(json("\xC2\x85\xC2\x80\xC2\x9F") == R"("\u0085\u0080\u009f")");
  CHECK(json("\xE2\x80\xA8\xE2\x80\xA9") == R"("\u2028\u2029")");
  CHECK(json("\xC2\xA0\xE2\x80\xA7") == "\"\xC2\xA0\xE2\x80\xA7\"");
}

TEST_CASE("UTF-8 stays as it is, and nothing else passes for it") {
  for (const char* good : {"é", "€", "😀", "\xEF\xBF\xBF", "\xF4\x8F\xBF\xBF"}) {
    CHECK(is_utf8(good));
    CHECK(json(good) == "\""s.append(good).append("\""));
  }
  for (const char* bad :
       {"\x80", "\xC0\xAF", "\xC3", "\xE0\x80\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xFF"}) {
    CHECK_FALSE(is_utf8(bad));
  }
  CHECK(json("a\xFFz") == "\"a\xEF\xBF\xBDz\"");
  CHECK(json("\xE2\x82") == "\"\xEF\xBF\xBD\xEF\xBF\xBD\"");
}

TEST_CASE("base64, the vectors of RFC 4648") {
  CHECK(base64("") == "");
  CHECK(base64("f") == "Zg==");
  CHECK(base64("fo") == "Zm8=");
  CHECK(base64("foo") == "Zm9v");
  CHECK(base64("foob") == "Zm9vYg==");
  CHECK(base64("fooba") == "Zm9vYmE=");
  CHECK(base64("foobar") == "Zm9vYmFy");
  CHECK(base64("\xff\xfe\xfd") == "//79");
}

TEST_CASE("bytes that are not UTF-8 come along whole") {
  std::string out;
  append_json_bytes(out, "name", "plain");
  CHECK(out == R"("name":"plain")");
  out.clear();
  append_json_bytes(out, "name", "\xff");
  CHECK(out == "\"name\":\"\xEF\xBF\xBD\",\"name_base64\":\"/w==\"");
}
