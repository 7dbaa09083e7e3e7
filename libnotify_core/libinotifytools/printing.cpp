// SPDX-License-Identifier: GPL-2.0-or-later
#include "libinotifytools/printing.hpp"

#include <algorithm>
#include <charconv>

#include "libinotifytools/event_words.hpp"

namespace notify_core::inotifytools {
namespace {

// What is put in beyond the room's end is cut off.
class Room {
 public:
  explicit Room(std::span<char> room) : room_(room) {}

  // The last byte is for the cut end of a name or a list alone: so it was in the library that this stands
  // for.
  bool is_full() const { return used_ + 1 >= room_.size(); }
  std::size_t used() const { return used_; }

  void put(std::string_view text) {
    const std::size_t size = std::min(text.size(), room_.size() - used_);
    std::copy_n(text.data(), size, room_.data() + used_);
    used_ += size;
  }

 private:
  std::span<char> room_;
  std::size_t used_ = 0;
};

std::string hexadecimal(std::uint32_t number) {
  char digits[8];
  return std::string(digits, std::to_chars(digits, digits + sizeof digits, number, 16).ptr);
}

// Empty where strftime has nothing to say, or more than fits.
std::string time_text(const std::string& format, const std::timespec& time) {
  std::tm parts{};
  ::localtime_r(&time.tv_sec, &parts);
  char text[4096];
  return std::string(text, std::strftime(text, sizeof text, format.c_str(), &parts));
}

// What stands for the sequence at the beginning of `format` (a '%' and at least one more byte), whose length
// is left in `size`.
std::string expanded(std::string_view format, const Event& event, const std::string* time_format,
                     std::size_t& size) {
  size = 2;
  switch (format[1]) {
    case '%':
      return "%";
    case '0':
      return std::string(1, '\0');
    case 'n':
      return "\n";
    case 'w':
      return std::string(event.watched);
    case 'f':
      return std::string(event.name);
    case 'c':
      return hexadecimal(event.cookie);
    case 'e':
      return names_of(event.mask, ',');
    case 'T':
      return time_format != nullptr ? time_text(*time_format, event.time) : std::string();
    default:
      break;
  }
  if (format.size() < 3 || format[2] != 'e') return std::string(format.substr(0, 2));
  size = 3;
  return names_of(event.mask, format[1]);
}

}  // namespace

Printed print(std::span<char> room, std::string_view format, const Event& event,
              const std::string* time_format) {
  Room out(room);
  while (!format.empty() && !out.is_full()) {
    if (format.front() != '%') {
      out.put(format.substr(0, 1));
      format.remove_prefix(1);
      continue;
    }
    if (format.size() == 1) return {out.used(), false};
    std::size_t size = 0;
    const std::string text = expanded(format, event, time_format, size);
    if (format[1] == 'T' && text.empty() && time_format != nullptr) return {out.used(), false};
    out.put(text);
    format.remove_prefix(size);
  }
  return {out.used(), true};
}

}  // namespace notify_core::inotifytools
