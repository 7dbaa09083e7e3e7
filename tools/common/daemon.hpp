// SPDX-License-Identifier: GPL-2.0-or-later
// Going to the background.
#pragma once

#include "notify_core/error.hpp"

namespace notify_tools {

enum class Side { parent, child };

// Returns twice, as fork(2) does. The child has a session of its own and /dev/null for its standard streams;
// it keeps the working directory, which relative operands are relative to. Call it when all that can fail has
// been done: an error is of use only while somebody sees the terminal.
notify_core::Result<Side> go_to_background();

}  // namespace notify_tools
