// SPDX-License-Identifier: GPL-2.0-or-later
#include "watch/retread.hpp"

#include <dirent.h>
#include <fcntl.h>

#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>

#include "sys/syscall.hpp"

namespace notify_core::watch {
namespace {

constexpr std::size_t listing_buffer = 32 * 1024;  // as readdir(3): each fill is an access event

void enter_watched(int directory, const WatchTree& tree, NodeId parent, const char* name) {
  const NodeId node = tree.child(parent, name);
  if (node == no_node) return;
  sys::Fd child(sys::open_at(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  if (child) retread(std::move(child), tree, node);
}

}  // namespace

void retread(sys::Fd directory, const WatchTree& tree, NodeId node) {
  const auto buffer = std::make_unique_for_overwrite<char[]>(listing_buffer);
  std::ptrdiff_t size;
  while ((size = sys::list_directory(directory.get(), buffer.get(), listing_buffer)) > 0) {
    for (std::ptrdiff_t at = 0; at < size;) {
      const char* raw = buffer.get() + at;
      unsigned short length;
      std::memcpy(&length, raw + offsetof(dirent64, d_reclen), sizeof length);
      enter_watched(directory.get(), tree, node, raw + offsetof(dirent64, d_name));
      at += length;
    }
  }
}

}  // namespace notify_core::watch
