// SPDX-License-Identifier: GPL-2.0-or-later
// The time of an event in words: strftime(3) in the C locale, with parts of a second.
#pragma once

#include <ctime>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace notify_core::text {

class EventTime {
 public:
  enum class Zone { local, utc };
  EventTime(std::string_view time_format, Zone zone);

  // Appends `time` in words; false, and `out` as it was, where they are empty or too long.
  bool append(std::string& out, const std::timespec& time);

 private:
  // Text for strftime(3), then so many digits of the nanoseconds.
  struct Piece {
    std::string format;
    std::size_t digits = 0;
    std::string words;  // of second_
  };

  void put_in_words(std::time_t second);

  Zone zone_;
  std::vector<Piece> pieces_;
  std::optional<std::time_t> second_;  // the one that the pieces' words are of
};

}  // namespace notify_core::text
