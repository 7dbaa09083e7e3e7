// SPDX-License-Identifier: GPL-2.0-or-later
// Fields of CSV, each up to a NUL byte: what is written as one line reads back as the same fields (RFC 4180).
#include "text/csv.hpp"

#include <vector>

#include "input.hpp"

namespace {

// A reader by the letter of the RFC; quotes may stand only around a whole field.
std::vector<std::string> read_record(std::string_view record) {
  std::vector<std::string> fields(1);
  std::size_t at = 0;
  while (true) {
    if (at < record.size() && record[at] == '"') {
      for (++at;; ++at) {
        fuzz::require(at < record.size());
        if (record[at] != '"') {
          fields.back() += record[at];
        } else if (at + 1 < record.size() && record[at + 1] == '"') {
          fields.back() += record[at++];
        } else {
          break;
        }
      }
      ++at;
    } else {
      while (at < record.size() && record[at] != ',') {
        fuzz::require(record[at] != '"' && record[at] != '\n' && record[at] != '\r');
        fields.back() += record[at++];
      }
    }
    if (at == record.size()) return fields;
    fuzz::require(record[at++] == ',');
    fields.emplace_back();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest = fuzz::text(data, size);
  std::vector<std::string> fields;
  do {
    fields.emplace_back(fuzz::take(rest, '\0'));
  } while (!rest.empty());

  std::string record;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (i > 0) record += ',';
    notify_core::text::append_csv_field(record, fields[i]);
  }
  fuzz::require(read_record(record) == fields);
  return 0;
}
