// SPDX-License-Identifier: GPL-2.0-or-later
// What else the program asks of the system: the source as it stands, files replaced as a whole, the service
// manager.
#pragma once

#include <string>
#include <string_view>

#include "inotifysync/delivery/source_guard.hpp"
#include "notify_core/error.hpp"

namespace inotifysync {

SourceFacts look_at_source(const std::string& path);

// Absolute, without symbolic links; an error of realpath(3).
notify_core::Result<std::string> real_path(const std::string& path);

// Readers see the old text or the new, never a part. `mode` as in open(2), before the umask.
notify_core::Result<void> replace_file(const std::string& path, std::string_view text, unsigned mode);
void remove_file(const std::string& path);

// Tells the service manager of sd_notify(3), where there is one: "READY=1", "STOPPING=1", "STATUS=...".
void tell_service_manager(std::string_view state);

}  // namespace inotifysync
