// SPDX-License-Identifier: GPL-2.0-or-later
#include "text/csv.hpp"

#include <doctest/doctest.h>

using notify_core::text::append_csv_field;

namespace {

std::string field(std::string_view text) {
  std::string out;
  append_csv_field(out, text);
  return out;
}

}  // namespace

TEST_CASE("fields that need no quotes") {
  CHECK(field("") == "");
  CHECK(field("a b") == "a b");
  CHECK(field("\t") == "\t");
  CHECK(field("caf\xff") == "caf\xff");
}

TEST_CASE("fields that need quotes") {
  CHECK(field("a,b") == "\"a,b\"");
  CHECK(field("a\"b") == "\"a\"\"b\"");
  CHECK(field("\"") == "\"\"\"\"");
  CHECK(field("a\nb") == "\"a\nb\"");
  CHECK(field("a\rb") == "\"a\rb\"");
  CHECK(field(" a") == "\" a\"");
  CHECK(field("a ") == "\"a \"");
}

TEST_CASE("a field of any length") {
  const std::string quotes(10'000, '"');
  CHECK(field(quotes).size() == 20'002);
}
