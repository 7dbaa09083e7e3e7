// SPDX-License-Identifier: GPL-2.0-or-later
#include "watch/walk_record.hpp"

#include <cstring>
#include <utility>

namespace notify_core::watch {

bool WalkRecord::begin(std::string_view name, int watch) {
  const bool known = watch <= last_known_;
  steps_ += known ? 'k' : 'b';
  put(watch);
  steps_ += static_cast<char>(name.size());  // at most 255 bytes: it is one name
  steps_ += name;
  return !known;
}

void WalkRecord::missed(int watch) {
  steps_ += 'm';
  put(watch);
}

void WalkRecord::failed(Error error) {
  steps_ += 'f';
  errors_.push_back(std::move(error));
}

void WalkRecord::replay(WalkSink& sink) const {
  std::size_t passed_over = 0;  // directories at hand of which nothing is said
  std::size_t errors = 0;
  for (std::size_t at = 0; at < steps_.size();) {
    const char step = steps_[at++];
    if (step == 'b' || step == 'k') {
      const int watch = take_number(at);
      const std::string_view name = take_name(at);
      const bool entered = passed_over == 0 && sink.begin(name, watch);
      if (step == 'b' && !entered) ++passed_over;
      if (step == 'k' && entered) sink.end(false);  // ended since it was known
    } else if (step == 'm') {
      sink.missed(take_number(at));
    } else if (step == 'f') {
      sink.failed(errors_[errors++]);
    } else if (passed_over > 0) {
      --passed_over;
    } else {
      sink.end(step == 'l');
    }
  }
}

void WalkRecord::put(int number) {
  char bytes[sizeof number];
  std::memcpy(bytes, &number, sizeof number);
  steps_.append(bytes, sizeof bytes);
}

int WalkRecord::take_number(std::size_t& at) const {
  int number;
  std::memcpy(&number, steps_.data() + at, sizeof number);
  at += sizeof number;
  return number;
}

std::string_view WalkRecord::take_name(std::size_t& at) const {
  const std::size_t length = static_cast<unsigned char>(steps_[at]);
  const std::string_view name(steps_.data() + at + 1, length);
  at += 1 + length;
  return name;
}

}  // namespace notify_core::watch
