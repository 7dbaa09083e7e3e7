// SPDX-License-Identifier: GPL-2.0-or-later
// Lines for people and for log collectors: "14:03:07 web1 12 files, 1.2 MB in 0.08 s", or one JSON object a
// line.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "inotifysync/report/patient_stream.hpp"
#include "inotifysync/report/status.hpp"
#include "notify_core/error.hpp"
#include "sys/fd.hpp"

namespace inotifysync {

class Log {
 public:
  enum class Level { error, warning, info, debug };
  struct Style {
    int verbosity = 0;  // -1: warnings and errors only; 1: debug too
    bool json = false;
    bool syslog = false;
    std::string file;  // appended to; empty: info to stdout, warnings and errors to stderr
  };

  // An error of open(2): its path is in it.
  static notify_core::Result<Log> create(Style style);

  // `about`: a target's name or a source's path, may be empty.
  void line(Level level, std::string_view about, std::string_view text) const;
  void batch(const BatchReport& report, bool full_pass) const;
  // On a terminal, the last line: replaced by the next one, out of the way of all others. Empty: none.
  void progress(std::string_view text);
  bool shows_progress() const { return on_terminal_; }
  // Tries again to write what the reader of a pipe or a terminal had no room for.
  void write_kept() const;
  // The standard streams lead elsewhere now.
  void standard_streams_changed();
  // Another style, and the file by its name again, for log rotation. An error: all stays as it was.
  notify_core::Result<void> change(Style style);

 private:
  explicit Log(Style style) : style_(std::move(style)) {}
  bool shows(Level level) const;
  std::string coloured(Level level, const std::string& line) const;
  void write(Level level, const std::string& line) const;

  Style style_;
  bool on_terminal_ = false;
  bool colours_ = false;            // of warnings and errors, which go to stderr
  mutable bool told_loss_ = false;  // of a line that the file had no room for
  std::string progress_;
  notify_core::sys::Fd file_;
  mutable PatientStream out_{1}, errors_{2}, to_file_{-1};  // to file_, which may be a pipe
};

// A target that is down would fill a log: the same words again are worth a line after 10 s, then 20, 40, up
// to an hour; also where they are said in turn with others, or of a temporary file that has another name each
// time. Pure: no clock.
class RepeatLimit {
 public:
  using Time = std::chrono::steady_clock::time_point;
  bool worth_saying(const std::string& about, std::string_view words, Time now);
  void forget(const std::string& about) { said_.erase(about); }

 private:
  struct Said {
    std::string words;
    Time next;
    std::chrono::seconds pause;
  };
  std::unordered_map<std::string, std::vector<Said>> said_;
};

}  // namespace inotifysync
