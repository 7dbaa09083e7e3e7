// SPDX-License-Identifier: GPL-2.0-or-later
#include "backend/inotify_decoder.hpp"

#include <sys/inotify.h>

#include <cstring>

namespace notify_core::backend {

[[gnu::hot]] bool InotifyDecoder::next(Record& record) {
  inotify_event header;
  if (bytes_.size() < sizeof header) return false;
  std::memcpy(&header, bytes_.data(), sizeof header);
  if (header.len > bytes_.size() - sizeof header) {
    bytes_ = {};
    return false;
  }
  const char* name = reinterpret_cast<const char*>(bytes_.data()) + sizeof header;
  record.watch = header.wd;
  record.mask = header.mask;
  record.cookie = header.cookie;
  record.name = {name, ::strnlen(name, header.len)};  // padded with NULs to a multiple of the header's size
  bytes_ = bytes_.subspan(sizeof header + header.len);
  return true;
}

}  // namespace notify_core::backend
