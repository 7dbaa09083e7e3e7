// SPDX-License-Identifier: GPL-2.0-or-later
// One thing that happened to a file, and the bits that say what. The bits are inotify(7)'s, whichever backend
// reported the event.
#pragma once

#include <cstdint>
#include <ctime>
#include <string_view>

namespace notify_core {

using EventMask = std::uint32_t;

// Values as in linux/inotify.h; a unit test holds them equal to the kernel's header.
namespace mask {
inline constexpr EventMask access = 0x00000001;
inline constexpr EventMask modify = 0x00000002;
inline constexpr EventMask attrib = 0x00000004;
inline constexpr EventMask close_write = 0x00000008;
inline constexpr EventMask close_nowrite = 0x00000010;
inline constexpr EventMask open = 0x00000020;
inline constexpr EventMask moved_from = 0x00000040;
inline constexpr EventMask moved_to = 0x00000080;
inline constexpr EventMask create = 0x00000100;
inline constexpr EventMask remove = 0x00000200;  // "delete" to users
inline constexpr EventMask delete_self = 0x00000400;
inline constexpr EventMask move_self = 0x00000800;
inline constexpr EventMask unmount = 0x00002000;
inline constexpr EventMask q_overflow = 0x00004000;
inline constexpr EventMask ignored = 0x00008000;
inline constexpr EventMask is_directory = 0x40000000;
inline constexpr EventMask one_shot = 0x80000000;  // asked for, never reported: one event a watch

inline constexpr EventMask close = close_write | close_nowrite;
inline constexpr EventMask move = moved_from | moved_to;
inline constexpr EventMask all_events = 0x00000fff;
}  // namespace mask

// All views belong to the watcher and are valid until the sink that got the event returns.
struct Event {
  EventMask mask = 0;
  std::uint32_t cookie = 0;   // equal on the two halves of a rename, else 0; inotify(7)
  std::string_view watched;   // path of the watch: as the operand was given, a directory ends in '/'
  std::string_view name;      // entry in that directory; empty for the watched object itself
  std::timespec time{};       // CLOCK_REALTIME when the event was read from the kernel
  std::uint32_t watch = 0;    // which watch, in order of watching; never used twice by one Watcher
  std::int32_t pid = 0;       // who did it; 0 where the backend does not know (inotify never does)
  std::string_view program;   // its name, where WatcherOptions::name_programs asks for it and it still runs
  std::string_view old_path;  // where a program has joined the two halves of a rename: the path before it
  bool recovered = false;     // found by listing a directory born under watch: the kernel queued no event
};

}  // namespace notify_core
