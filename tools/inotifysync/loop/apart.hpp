// SPDX-License-Identifier: GPL-2.0-or-later
// Work that may hang for ever, as on a filesystem whose server is gone: done on threads of their own, which
// nobody waits for.
#pragma once

#include <functional>

namespace inotifysync {

// Runs `work` on a thread that takes no signals; it owns what it uses. False where no thread can be had.
bool run_apart(std::function<void()> work);

}  // namespace inotifysync
