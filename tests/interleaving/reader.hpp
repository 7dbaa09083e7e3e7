// SPDX-License-Identifier: GPL-2.0-or-later
// What somebody knows of a tree who reads the events and nothing else, and where that is wrong.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "notify_core/event.hpp"

namespace interleaving {

// Paths, and whether each is a directory.
using Listing = std::map<std::string, bool>;

class Reader {
 public:
  // `inside`: nothing comes from elsewhere; what is in a directory that comes unannounced should have been
  // told.
  explicit Reader(bool inside) : inside_(inside) {}

  // What is there before the first event.
  void start(const Listing& listing);
  // `path`: from the top, without a final '/'.
  void read(notify_core::EventMask mask, std::uint32_t cookie, const std::string& path);
  // What was wrong with the events, or is wrong now that the tree `t` has what is listed.
  std::vector<std::string> faults(const Listing& listing);

 private:
  struct Known {
    bool directory = false;
    bool opaque = false;  // moved in from elsewhere: nobody speaks of what is in it
    bool certain = true;  // false: may be there or not
    std::map<std::string, std::unique_ptr<Known>> below{};
  };

  Known* parent_of(const std::string& path, std::string& name, bool make);
  void compare(const Known& node, const std::string& path, const Listing& listing,
               std::set<std::string>& said);
  bool may_hide(const std::string& path) const;

  bool inside_;
  Known top_{true};
  std::map<std::uint32_t, std::unique_ptr<Known>> moving_;
  std::vector<std::string> faults_;
};

}  // namespace interleaving
