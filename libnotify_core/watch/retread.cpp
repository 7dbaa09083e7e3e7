// SPDX-License-Identifier: GPL-2.0-or-later
#include "watch/retread.hpp"

#include <dirent.h>
#include <fcntl.h>

#include <cstddef>
#include <cstring>
#include <memory>
#include <utility>

#include "sys/syscall.hpp"

namespace notify_core::watch {
namespace {

constexpr std::size_t listing_buffer = 32 * 1024;  // as readdir(3): each fill is an access event

bool may_be_directory(const char* name, unsigned char type) {
  if (type != DT_DIR && type != DT_UNKNOWN) return false;
  return std::strcmp(name, ".") != 0 && std::strcmp(name, "..") != 0;
}

}  // namespace

void retread(sys::Fd directory, const std::string& path,
             const std::function<bool(std::string_view)>& is_excluded) {
  const auto buffer = std::make_unique_for_overwrite<char[]>(listing_buffer);
  std::ptrdiff_t size;
  while ((size = sys::list_directory(directory.get(), buffer.get(), listing_buffer)) > 0) {
    for (std::ptrdiff_t at = 0; at < size;) {
      const char* raw = buffer.get() + at;
      const char* name = raw + offsetof(dirent64, d_name);
      unsigned short length;
      std::memcpy(&length, raw + offsetof(dirent64, d_reclen), sizeof length);
      at += length;
      if (!may_be_directory(name, static_cast<unsigned char>(raw[offsetof(dirent64, d_type)]))) continue;
      const std::string below = path + name + '/';
      if (is_excluded(below)) continue;
      sys::Fd child(sys::open_at(directory.get(), name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
      if (child) retread(std::move(child), below, is_excluded);
    }
  }
}

}  // namespace notify_core::watch
