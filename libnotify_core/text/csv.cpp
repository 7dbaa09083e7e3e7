// SPDX-License-Identifier: GPL-2.0-or-later
#include "text/csv.hpp"

namespace notify_core::text {

void append_csv_field(std::string& out, std::string_view field) {
  const bool quoted = field.find_first_of(",\"\r\n") != std::string_view::npos || field.starts_with(' ') ||
                      field.ends_with(' ');
  if (!quoted) {
    out += field;
    return;
  }
  out += '"';
  for (const char c : field) {
    if (c == '"') out += '"';
    out += c;
  }
  out += '"';
}

}  // namespace notify_core::text
