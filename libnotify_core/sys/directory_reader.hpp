// SPDX-License-Identifier: GPL-2.0-or-later
// Reads the entries of a directory as the kernel packs them: getdents64(2).
#pragma once

#include <dirent.h>

#include <cstddef>
#include <cstring>
#include <memory>

#include "sys/syscall.hpp"

namespace notify_core::sys {

class DirectoryReader {
 public:
  explicit DirectoryReader(std::size_t size)
      : size_(size), buffer_(std::make_unique_for_overwrite<char[]>(size)) {}

  // One call: visit(name, type) for each entry but "." and "..", until that returns false. `type` as in
  // d_type of readdir(3). The number of bytes read: 0 at the end, or minus the errno.
  template <class Visit>
  std::ptrdiff_t read(int directory, Visit visit) {
    const std::ptrdiff_t read = list_directory(directory, buffer_.get(), size_);
    for (std::ptrdiff_t at = 0; at < read;) {
      const char* raw = buffer_.get() + at;
      const char* name = raw + offsetof(dirent64, d_name);
      unsigned short length;
      std::memcpy(&length, raw + offsetof(dirent64, d_reclen), sizeof length);
      at += length;
      const bool itself = std::strcmp(name, ".") == 0 || std::strcmp(name, "..") == 0;
      if (!itself && !visit(name, static_cast<unsigned char>(raw[offsetof(dirent64, d_type)]))) break;
    }
    return read;
  }

  // After a read() that brought so many bytes: there was room for another entry, however long. Most likely
  // the directory has no more, then.
  bool had_room(std::ptrdiff_t read) const {
    constexpr std::size_t longest = sizeof(dirent64);  // its name has room for NAME_MAX
    return static_cast<std::size_t>(read) + longest <= size_;
  }

 private:
  std::size_t size_;
  std::unique_ptr<char[]> buffer_;
};

}  // namespace notify_core::sys
