// SPDX-License-Identifier: GPL-2.0-or-later
// The file that holds our process id for as long as we run, and keeps a second one of us from doing the same
// work: it is locked, and the lock ends with the process, however that ends.
#pragma once

#include <string>
#include <utility>

#include "notify_core/error.hpp"
#include "sys/fd.hpp"

namespace inotifysync {

class PidFile {
 public:
  PidFile() = default;
  PidFile(PidFile&& other) noexcept;
  PidFile& operator=(PidFile&& other) noexcept;
  ~PidFile() { remove(); }

  // An error where one runs that has it; that of a file which is not there is not asked for.
  static notify_core::Result<void> check(const std::string& path);
  // Writes our process id. A file that nobody has locked was left behind, and is replaced.
  static notify_core::Result<PidFile> create(const std::string& path);

  const std::string& path() const { return path_; }

 private:
  PidFile(std::string path, notify_core::sys::Fd file) : path_(std::move(path)), file_(std::move(file)) {}
  // Ours alone: what another has put in its place stays.
  void remove();

  std::string path_;
  notify_core::sys::Fd file_;
};

}  // namespace inotifysync
