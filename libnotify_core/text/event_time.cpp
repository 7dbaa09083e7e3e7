// SPDX-License-Identifier: GPL-2.0-or-later
#include "text/event_time.hpp"

#include <locale.h>

#include <array>

namespace notify_core::text {
namespace {

constexpr std::size_t longest_time = 4094;  // what fits into the buffer of inotify-tools

void append_digits(std::string& out, long nanoseconds, std::size_t digits) {
  std::array<char, 9> all;
  for (std::size_t i = all.size(); i-- > 0; nanoseconds /= 10)
    all[i] = static_cast<char>('0' + nanoseconds % 10);
  out.append(all.data(), digits);
}

// How many digits the "%N" or "%3N" at the start of `format` asks for; 0: it is something else.
std::size_t digits_asked(std::string_view format) {
  if (format.starts_with("%N")) return 9;
  const bool counted = format.size() >= 3 && format[1] >= '1' && format[1] <= '9' && format[2] == 'N';
  return counted ? static_cast<std::size_t>(format[1] - '0') : 0;
}

}  // namespace

EventTime::EventTime(std::string_view time_format, Zone zone) : zone_(zone), pieces_(1) {
  while (!time_format.empty()) {
    const std::size_t digits = time_format.front() == '%' ? digits_asked(time_format) : 0;
    std::size_t size = 1;
    if (digits != 0) {
      size = time_format.find('N') + 1;
      pieces_.back().digits = digits;
      pieces_.emplace_back();
    } else {
      if (time_format.front() == '%' && time_format.size() > 1) size = 2;  // "%%N" has no nanoseconds in it
      pieces_.back().format += time_format.substr(0, size);
    }
    time_format.remove_prefix(size);
  }
}

// strftime(3) says 0 both of empty and of too long; neither is printed.
void EventTime::put_in_words(std::time_t second) {
  const locale_t c_locale = ::newlocale(LC_ALL_MASK, "C", nullptr);
  std::tm broken_down{};
  zone_ == Zone::utc ? ::gmtime_r(&second, &broken_down) : ::localtime_r(&second, &broken_down);
  for (Piece& piece : pieces_) {
    piece.words.resize(longest_time + 1);
    piece.words.resize(
        ::strftime_l(piece.words.data(), piece.words.size(), piece.format.c_str(), &broken_down, c_locale));
  }
  ::freelocale(c_locale);
  second_ = second;
}

bool EventTime::append(std::string& out, const std::timespec& time) {
  if (second_ != time.tv_sec) put_in_words(time.tv_sec);
  const std::size_t start = out.size();
  bool complete = true;
  for (const Piece& piece : pieces_) {
    complete = complete && piece.words.empty() == piece.format.empty();
    out += piece.words;
    append_digits(out, time.tv_nsec, piece.digits);
  }
  const std::size_t size = out.size() - start;
  if (complete && size != 0 && size <= longest_time) return true;
  out.resize(start);
  return false;
}

}  // namespace notify_core::text
