// SPDX-License-Identifier: GPL-2.0-or-later
// Globs, as extended regular expressions.
#pragma once

#include <string>
#include <string_view>

namespace notify_core::text {

// The regular expression for one or more whole components of a path that `glob` matches, and what is below
// them. Where there is no such glob (an open bracket), the expression is none either, and regcomp(3) will say
// so.
std::string glob_to_regex(std::string_view glob);

}  // namespace notify_core::text
