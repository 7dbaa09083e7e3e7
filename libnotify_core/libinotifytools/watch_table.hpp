// SPDX-License-Identifier: GPL-2.0-or-later
// The watches that a program has set up: found by number and by name, each with its counters. Makes no system
// call.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "notify_core/statistics.hpp"

// As the public header knows it: a name in C.
struct watch {
  std::string name;                      // a directory's ends in '/'
  std::vector<std::string> other_names;  // by which it was set up again
  int number = -1;
  notify_core::EventMask events = 0;  // what was asked for
  notify_core::Counts counts;
};

namespace notify_core::inotifytools {

class WatchTable {
 public:
  // A number known already keeps its first name, and a name its first number.
  void add(int number, std::string_view name, EventMask events);
  void remove(int number);
  std::size_t size() const { return watches_.size(); }

  ::watch* find(int number);
  ::watch* find(std::string_view name);  // null: nothing is called so

  void rename(int number, std::string_view name);
  // Puts `replacement` in the place of `prefix` where a name begins with it.
  void replace_prefix(std::string_view prefix, std::string_view replacement);
  void reset_counts();

 private:
  void forget_names(const ::watch& watch);

  std::unordered_map<int, ::watch> watches_;
  std::map<std::string, int, std::less<>> numbers_;
};

}  // namespace notify_core::inotifytools
