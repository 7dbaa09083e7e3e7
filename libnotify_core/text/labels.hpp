// SPDX-License-Identifier: GPL-2.0-or-later
// The labels of masks, each put together once.
#pragma once

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
  std::string_view of(EventMask mask);

 private:
  static constexpr std::size_t few = 8;

  std::string_view put_together(EventMask mask);

  char separator_;
  std::vector<std::pair<EventMask, std::string>> known_;
};

}  // namespace notify_core::text
