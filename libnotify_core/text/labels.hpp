// SPDX-License-Identifier: GPL-2.0-or-later
// The labels of masks, each put together once.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "notify_core/event.hpp"

namespace notify_core::text {

class Labels {
 public:
  explicit Labels(char separator) : separator_(separator) { known_.reserve(few); }
  char separator() const { return separator_; }

  // "CLOSE_WRITE,CLOSE"; valid until the next call.
  std::string_view of(EventMask mask) {
    return mask == last_mask_ ? std::string_view(last_, last_size_) : look_up(mask);
  }

 private:
  static constexpr std::size_t few = 8;

  std::string_view look_up(EventMask mask);
  std::string_view put_together(EventMask mask);

  // The last one that is short enough: mostly it is the next one, too, and all of it is here.
  EventMask last_mask_ = 0;
  unsigned char last_size_ = 0;
  char separator_;
  char last_[42];
  std::vector<std::pair<EventMask, std::string>> known_;
};

}  // namespace notify_core::text
