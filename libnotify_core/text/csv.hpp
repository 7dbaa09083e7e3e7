// SPDX-License-Identifier: GPL-2.0-or-later
// Fields of comma-separated values, RFC 4180.
#pragma once

#include <string>
#include <string_view>

namespace notify_core::text {

// Quoted where it holds a comma, a quote, CR or LF, or begins or ends with a space; else as it is.
void append_csv_field(std::string& out, std::string_view field);

}  // namespace notify_core::text
