// SPDX-License-Identifier: GPL-2.0-or-later
// Records as fanotify(7) writes them.
#pragma once

#include <linux/fanotify.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>

namespace fanotify_bytes {

inline constexpr std::uint8_t fid = 1, dfid_name = 2, dfid = 3, from_name = 10, to_name = 12;

// A handle of as many bytes as `text` has, on filesystem `filesystem`.
inline std::string key(std::uint64_t filesystem, const std::string& text) {
  std::string bytes(reinterpret_cast<const char*>(&filesystem), sizeof filesystem);
  const auto length = static_cast<std::uint32_t>(text.size());
  const std::int32_t type = 1;
  bytes.append(reinterpret_cast<const char*>(&length), sizeof length);
  bytes.append(reinterpret_cast<const char*>(&type), sizeof type);
  return bytes + text;
}

inline std::string info(std::uint8_t type, const std::string& object, const std::string& name = {}) {
  std::string bytes = {static_cast<char>(type), '\0', '\0', '\0'};
  bytes += object;
  if (type != fid && type != dfid) bytes += name + '\0';
  while (bytes.size() % 4 != 0) bytes += '\0';
  const auto length = static_cast<std::uint16_t>(bytes.size());
  std::memcpy(bytes.data() + 2, &length, sizeof length);
  return bytes;
}

inline std::string record(std::uint64_t mask, int pid, const std::string& infos) {
  fanotify_event_metadata header{};
  header.event_len = static_cast<std::uint32_t>(sizeof header + infos.size());
  header.metadata_len = sizeof header;
  header.vers = FANOTIFY_METADATA_VERSION;
  header.mask = mask;
  header.fd = FAN_NOFD;
  header.pid = pid;
  return std::string(reinterpret_cast<const char*>(&header), sizeof header) + infos;
}

inline std::span<const std::byte> bytes_of(const std::string& text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

}  // namespace fanotify_bytes
