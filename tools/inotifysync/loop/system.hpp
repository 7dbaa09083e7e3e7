// SPDX-License-Identifier: GPL-2.0-or-later
// What else the program asks of the system: the source as it stands, files replaced as a whole, the service
// manager.
#pragma once

#include <string>
#include <string_view>

#include "inotifysync/delivery/source_guard.hpp"
#include "notify_core/error.hpp"
#include "sys/fd.hpp"

namespace inotifysync {

// Whether it is a directory that may be read; the error calls it as it was given.
notify_core::Result<void> check_source(const std::string& path, const std::string& given);

SourceFacts look_at_source(const std::string& path);
// The directory itself, to be looked at and then used, whatever stands at its path by then. What could not be
// opened holds -errno in the place of a descriptor.
notify_core::sys::Fd open_source(const std::string& path);
SourceFacts look_at_source(const notify_core::sys::Fd& directory);
// A path by which our children come to exactly this directory for as long as it is open here. Empty where
// they may not: no /proc, another's /proc, or a program that hides from its own user.
std::string path_for_children(const notify_core::sys::Fd& directory);
// The same for a child that inherits the descriptor. Empty where there is no /proc.
std::string path_for_heir(const notify_core::sys::Fd& directory);

// Absolute, without symbolic links; an error of realpath(3).
notify_core::Result<std::string> real_path(const std::string& path);
// Absolute, its symbolic links as they are; without "." and double or final slashes, and without the ".."
// that leads up from where we are. Empty where nobody knows where that is.
std::string absolute_path(const std::string& path);

notify_core::Result<std::string> read_file(const std::string& path);

// Who may read and write a file. An error of stat(2).
struct FileAccess {
  unsigned mode = 0;
  unsigned owner = 0, group = 0;
  unsigned we = 0, our_group = 0;
};
notify_core::Result<FileAccess> file_access(const std::string& path);

// A directory that only we can enter, for ssh's sockets; its path.
notify_core::Result<std::string> make_private_directory();
// Whether it is there, and such a one.
bool is_private_directory(const std::string& path);
// It and the files in it.
void remove_directory(const std::string& path);

// Readers see the old text or the new, never a part. What is neither a file nor a link stays as it is. `mode`
// is the new file's, whatever the umask.
notify_core::Result<void> replace_file(const std::string& path, std::string_view text, unsigned mode);
void remove_file(const std::string& path);

// Goes to the background: a new session, and /dev/null for the three standard streams. The working directory
// stays, for relative paths are meant from where they were written. Threads and children do not come along.
notify_core::Result<void> detach();

// Tells the service manager of sd_notify(3), where there is one: "READY=1", "STOPPING=1", "STATUS=...".
void tell_service_manager(std::string_view state);

}  // namespace inotifysync
