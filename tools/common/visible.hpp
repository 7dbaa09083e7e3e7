// SPDX-License-Identifier: GPL-2.0-or-later
// Names of files in words for people: any byte may be in a name, and a terminal obeys some of them.
#pragma once

#include <string>
#include <string_view>

namespace notify_tools {

// `text` with its control characters (C0, DEL, and C1 as UTF-8 writes it) as \n, \t or \xNN; all else as it
// is.
std::string visible(std::string_view text);

}  // namespace notify_tools
