// SPDX-License-Identifier: GPL-2.0-or-later
#include "watch/retread.hpp"

#include <fcntl.h>

#include <cstddef>
#include <utility>

#include "sys/directory_reader.hpp"
#include "watch/places.hpp"

namespace notify_core::watch {

void retread(sys::Fd directory, const std::string& path,
             const std::function<bool(std::string_view)>& is_excluded) {
  constexpr std::size_t listing_buffer = 32 * 1024;  // as readdir(3): each fill is an access event
  sys::DirectoryReader reader(listing_buffer);
  const auto visit = [&](const char* name, unsigned char type) {
    if (!is_directory(directory, name, type)) return true;
    const std::string below = path + name + '/';
    if (is_excluded(below)) return true;
    sys::Fd child(sys::open_at(directory.get(), name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
    if (child) retread(std::move(child), below, is_excluded);
    return true;
  };
  while (reader.read(directory.get(), visit) > 0) continue;
}

}  // namespace notify_core::watch
