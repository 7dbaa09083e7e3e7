// SPDX-License-Identifier: GPL-2.0-or-later
// Which number stands for which object. Numbers are given in order and never twice. Pure data.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace notify_core::backend {

class HandleTable {
 public:
  // The number of an object; -1: it has none.
  int find(std::string_view key) const {
    if (key.empty()) return -1;
    if (key == last_key_) return last_number_;  // events of one directory come in a row
    const auto position = numbers_.find(key);
    if (position == numbers_.end()) return -1;
    last_key_ = position->first;
    last_number_ = position->second;
    return last_number_;
  }

  // The same, and gives it one where it has none.
  int intern(std::string_view key) {
    const int known = find(key);
    if (known >= 0 || key.empty()) return known;
    const auto position = numbers_.emplace(key, ++last_given_).first;
    keys_.emplace(last_given_, position->first);
    return last_given_;
  }

  // Empty: there is no such number.
  std::string_view key(int number) const {
    const auto position = keys_.find(number);
    return position == keys_.end() ? std::string_view() : position->second;
  }

  void forget(int number) {
    const auto position = keys_.find(number);
    if (position == keys_.end()) return;
    last_key_ = {};
    numbers_.erase(numbers_.find(position->second));
    keys_.erase(position);
  }

  template <class Visit>
  void for_each_number(Visit visit) const {
    for (const auto& [number, key] : keys_) visit(number);
  }

  std::size_t size() const { return keys_.size(); }

 private:
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };
  std::unordered_map<std::string, int, Hash, std::equal_to<>> numbers_;
  std::unordered_map<int, std::string_view> keys_;  // lie in numbers_
  mutable std::string_view last_key_;
  mutable int last_number_ = -1;
  int last_given_ = 0;
};

}  // namespace notify_core::backend
