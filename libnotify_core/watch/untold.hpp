// SPDX-License-Identifier: GPL-2.0-or-later
// Directories whose contents are news to whoever reads the events, and wait to be listed; and what the queue
// has said of each meanwhile, which is not to be said again. Pure data, by watch.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "notify_core/event.hpp"

namespace notify_core::watch {

class UntoldDirectories {
 public:
  // Of this one nothing has been told.
  void add(int watch) { names_[watch].clear(); }
  // The same, unless it waits already.
  void add_waiting(int watch) { names_.try_emplace(watch); }

  // `name` in it is, or is going to be, reported.
  void tell(int watch, std::string_view name) {
    if (const auto place = names_.find(watch); place != names_.end()) place->second.emplace(name);
  }
  void untell(int watch, std::string_view name) {
    if (const auto place = names_.find(watch); place != names_.end()) place->second.erase(std::string(name));
  }
  // What the queue says of `name` in it.
  void heard(int watch, std::string_view name, EventMask mask) {
    if (mask & (mask::create | mask::moved_to)) tell(watch, name);
    if (mask & (mask::remove | mask::moved_from)) untell(watch, name);
  }

  bool told(int watch, std::string_view name) const {
    const auto place = names_.find(watch);
    return place != names_.end() && place->second.contains(std::string(name));
  }
  bool contains(int watch) const { return names_.contains(watch); }
  bool empty() const { return names_.empty(); }

  void erase(int watch) { names_.erase(watch); }
  void clear() { names_.clear(); }
  template <class Visit>
  void for_each(Visit visit) const {
    for (const auto& [watch, names] : names_) visit(watch);
  }

 private:
  std::unordered_map<int, std::unordered_set<std::string>> names_;
};

}  // namespace notify_core::watch
