// SPDX-License-Identifier: GPL-2.0-or-later
// Operands may lie within each other. What was watched for the first is read again for the second, and its
// watches see that: inotify-tools shows these events (open, access, close_nowrite) when it starts, so they
// belong to what scripts know.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "sys/fd.hpp"

namespace notify_core::watch {

// Lists `directory`, called `path` (ending in '/') by the operand that leads to it, and all directories below
// it but those of which `is_excluded(path)` is true. Nothing is changed; what cannot be opened is passed
// over.
void retread(sys::Fd directory, const std::string& path,
             const std::function<bool(std::string_view)>& is_excluded);

}  // namespace notify_core::watch
