// SPDX-License-Identifier: GPL-2.0-or-later
// How an event is said to people and scripts: a --format, compiled once, and the ready-made ones.
//
//   %w  path of the watch          %f  name of the entry         %e  events, comma-separated
//   %Xe events, separated by X     %T  time, by the time format  %c  cookie, lower-case hex
//   %p  process that did it        %P  name of its program       (both where compile() is told to)
//   %0  NUL byte                   %n  newline                   %%  per cent
// Any other % sequence is itself. Lengths are not limited.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "notify_core/error.hpp"
#include "notify_core/event.hpp"
#include "notify_core/export.hpp"

namespace notify_core {

// One thread at a time may use a Format: it remembers the last second's text and the labels of masks.
class NOTIFY_API Format {
 public:
  // Whether the two halves of a rename come as one event, with its old path: then %o is that path, CSV has it
  // as a fourth field and JSON as "old".
  enum class Moves { halves, joined };
  // Whether %p and %P mean the process that did it and its program's name, empty where they are not known;
  // else they are themselves.
  enum class Processes { unknown, known };

  // `time_format` is strftime(3)'s in the C locale, and %N is the nanoseconds in nine digits, %1N to %9N
  // their first digits. An event whose time comes out empty or longer than 4,094 bytes is not printed.
  // `ending` follows every line: a newline, a NUL byte, nothing. A '%' at the very end of `format` is
  // literal, unless the ending is empty: then nothing is ever printed. Error: a line might be
  // empty, as of "%w%f" without an ending: it could not be told from the next.
  static Result<Format> compile(std::string_view format, std::string_view time_format,
                                std::string_view ending, Moves moves = Moves::halves,
                                Processes processes = Processes::unknown);
  static Format standard();  // "%w %,e %f" and a newline
  // RFC 4180: watched,EVENTS,name; a field is quoted where it holds a comma, a quote, a line break, or a
  // space at either end.
  static Format csv(std::string_view ending = "\n");
  // One JSON object: watched, name, events, cookie, time (RFC 3339, UTC, nanoseconds), pid and program where
  // they are known, dir and recovered. Where a path piece is not UTF-8, watched_base64 or name_base64 hold
  // its bytes and the plain member shows U+FFFD for what cannot be said.
  static Format json(std::string_view ending = "\n");

  // Whether %p or %P is in it.
  bool names_processes() const;
  // Whether a line says when it happened.
  bool names_times() const;

  // Appends the line for `event` to `out`. Allocates only by growing `out`.
  void append(std::string& out, const Event& event);

  Format(Format&&) noexcept;
  Format& operator=(Format&&) noexcept;
  ~Format();

 private:
  class NOTIFY_LOCAL Impl;
  explicit Format(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace notify_core
