// SPDX-License-Identifier: GPL-2.0-or-later
// What went wrong, as data: the errno, the call and the path. The library never prints; a tool turns an Error
// into words.
#pragma once

#include <string>
#include <utility>
#include <variant>

namespace notify_core {

struct Error {
  int number = 0;    // errno(3) as the call left it; 0 where no system call failed (a bad pattern, say)
  std::string call;  // the system or library call that failed: "inotify_add_watch", "regcomp"
  std::string path;  // what it was called on, as the caller named it; may be empty
  std::string
      detail;  // what the call said of itself (regerror(3), a parser); empty: strerror(number) says it all
};

// A value or an Error: what every call that can fail returns. `if (result)` asks which; value() and error()
// may only be called on the one that is there.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  bool has_value() const { return state_.index() == 0; }
  explicit operator bool() const { return has_value(); }

  T& value() & { return *std::get_if<0>(&state_); }
  const T& value() const& { return *std::get_if<0>(&state_); }
  T&& value() && { return std::move(*std::get_if<0>(&state_)); }
  T* operator->() { return std::get_if<0>(&state_); }
  const T* operator->() const { return std::get_if<0>(&state_); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }

  const Error& error() const& { return *std::get_if<1>(&state_); }
  Error&& error() && { return std::move(*std::get_if<1>(&state_)); }

 private:
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : failed_(true), error_(std::move(error)) {}

  bool has_value() const { return !failed_; }
  explicit operator bool() const { return has_value(); }
  const Error& error() const& { return error_; }
  Error&& error() && { return std::move(error_); }

 private:
  bool failed_ = false;
  Error error_;
};

}  // namespace notify_core
