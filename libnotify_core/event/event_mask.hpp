// SPDX-License-Identifier: GPL-2.0-or-later
// The one table of events. Parsing, printing, --help, the C constants and the test of the man pages all read
// it.
#pragma once

#include <linux/fanotify.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "notify_core/event.hpp"

// Older headers lack it; the bit is the kernel's since 5.17 (fanotify_mark(2)).
#ifndef FAN_RENAME
#define FAN_RENAME 0x10000000
#endif

namespace notify_core::event {

struct EventKind {
  std::string_view name;  // as the user writes it
  EventMask bits;
  std::uint64_t fanotify_bits;  // what fanotify_mark(2) is asked for; 0: fanotify does not report it
  std::string_view label;       // as it is printed; empty: only parsed, or an alias of several bits
  std::string_view help;        // one line of --help; empty: not listed there. A '\n' begins a second line
};

// In the order in which labels are printed within a line; the order of --help is that of `help_order`.
inline constexpr std::array<EventKind, 20> kinds{{
    {"access", mask::access, FAN_ACCESS, "ACCESS", "file or directory contents were read"},
    {"modify", mask::modify, FAN_MODIFY, "MODIFY", "file or directory contents were written"},
    {"attrib", mask::attrib, FAN_ATTRIB, "ATTRIB", "file or directory attributes changed"},
    {"close_write", mask::close_write, FAN_CLOSE_WRITE, "CLOSE_WRITE",
     "file or directory closed, after being opened in\nwritable mode"},
    {"close_nowrite", mask::close_nowrite, FAN_CLOSE_NOWRITE, "CLOSE_NOWRITE",
     "file or directory closed, after being opened in\nread-only mode"},
    {"open", mask::open, FAN_OPEN, "OPEN", "file or directory opened"},
    {"moved_from", mask::moved_from, FAN_MOVED_FROM, "MOVED_FROM",
     "file or directory moved from watched directory"},
    {"moved_to", mask::moved_to, FAN_MOVED_TO, "MOVED_TO", "file or directory moved to watched directory"},
    {"create", mask::create, FAN_CREATE, "CREATE", "file or directory created within watched directory"},
    {"delete", mask::remove, FAN_DELETE, "DELETE", "file or directory deleted within watched directory"},
    {"delete_self", mask::delete_self, FAN_DELETE_SELF, "DELETE_SELF", "file or directory was deleted"},
    {"unmount", mask::unmount, 0, "UNMOUNT", "file system containing file or directory unmounted"},
    {"q_overflow", mask::q_overflow, FAN_Q_OVERFLOW, "Q_OVERFLOW", ""},
    {"ignored", mask::ignored, 0, "IGNORED", ""},
    {"close", mask::close, FAN_CLOSE_WRITE | FAN_CLOSE_NOWRITE, "CLOSE",
     "file or directory closed, regardless of read/write mode"},
    {"move_self", mask::move_self, FAN_MOVE_SELF, "MOVE_SELF", "A watched file or directory was moved."},
    {"move", mask::move, FAN_MOVED_FROM | FAN_MOVED_TO, "",
     "file or directory moved to or from watched directory"},
    {"isdir", mask::is_directory, FAN_ONDIR, "ISDIR", ""},
    {"all_events", mask::all_events, 0, "", ""},
    {"oneshot", mask::one_shot, 0, "", ""},
}};

// The bits of one name, in any case; nothing where there is no such event.
std::optional<EventMask> parse_one(std::string_view name);

// The labels of all bits set, in upstream's order, with `separator` between them: "CLOSE_WRITE,CLOSE".
void append_labels(std::string& out, EventMask mask, char separator);

}  // namespace notify_core::event
