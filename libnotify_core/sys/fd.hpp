// SPDX-License-Identifier: GPL-2.0-or-later
// The one owner of descriptors.
#pragma once

#include <unistd.h>

#include <utility>

namespace notify_core::sys {

class Fd {
 public:
  Fd() = default;
  explicit Fd(int number) : number_(number) {}
  Fd(Fd&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    if (this != &other) reset(std::exchange(other.number_, -1));
    return *this;
  }
  ~Fd() { reset(); }

  int get() const { return number_; }
  explicit operator bool() const { return number_ >= 0; }
  int release() { return std::exchange(number_, -1); }

  // An error of close(2) is not looked at: the descriptor is gone all the same, and nothing here is written
  // through a descriptor whose last words matter.
  void reset(int number = -1) {
    if (number_ >= 0) ::close(number_);
    number_ = number;
  }

 private:
  int number_ = -1;
};

}  // namespace notify_core::sys
