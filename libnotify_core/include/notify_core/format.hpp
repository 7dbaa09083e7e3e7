// SPDX-License-Identifier: GPL-2.0-or-later
// How an event is said to people and scripts: a --format, compiled once, and the ready-made ones.
//
//   %w  path of the watch          %f  name of the entry         %e  events, comma-separated
//   %Xe events, separated by X     %T  time, by the time format  %c  cookie, lower-case hex
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

class NOTIFY_API Format {
 public:
  // `time_format` is strftime(3)'s; `newline` is appended to every line. Error: detail says what is wrong.
  static Result<Format> compile(std::string_view format, std::string_view time_format, bool newline);
  static Format standard();                                   // "%w %,e %f" and a newline
  static Format csv(std::string_view time_format);            // RFC 4180 fields: watched,"EVENTS",name

  // Appends the line for `event` to `out`. Allocates only by growing `out`.
  void append(std::string& out, const Event& event) const;

  Format(Format&&) noexcept;
  Format& operator=(Format&&) noexcept;
  ~Format();

 private:
  class Impl;
  explicit Format(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace notify_core
