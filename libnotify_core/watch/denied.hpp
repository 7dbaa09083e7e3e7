// SPDX-License-Identifier: GPL-2.0-or-later
// What may not be looked at until somebody changes its rights: directories that could not be watched, which
// have no more than a name in one that is, and watched ones that could not be looked into. Found by the one
// whose rights are missing, so that a change of others costs nothing. Pure data.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "watch/tree_scanner.hpp"

namespace notify_core::watch {

class Denied {
 public:
  // How each is to be listed once its rights are there.
  using Kinds = std::unordered_map<int, ScanKind>;

  // `name` in the directory watched by `parent`. False: it was known.
  bool add_name(int parent, std::string_view name, ScanKind kind) {
    const auto [place, is_new] = names_[parent].try_emplace(std::string(name), kind);
    place->second = std::max(place->second, kind);
    return is_new;
  }
  const ScanKind* find_name(int parent, std::string_view name) const {
    const auto place = names_.find(parent);
    if (place == names_.end()) return nullptr;
    const auto found = place->second.find(std::string(name));
    return found == place->second.end() ? nullptr : &found->second;
  }
  void erase_name(int parent, std::string_view name) {
    const auto place = names_.find(parent);
    if (place == names_.end() || place->second.erase(std::string(name)) == 0) return;
    if (place->second.empty()) names_.erase(place);
  }

  // A watched one; `blocker`: the watch of the one whose rights are missing, itself or one above it. False:
  // that has been said.
  bool add(int watch, ScanKind kind, int blocker) {
    if (const auto known = blockers_.find(watch); known != blockers_.end()) {
      kind = std::max(kind, blocked_[known->second][watch]);
      release(watch);
    }
    blockers_[watch] = blocker;
    blocked_[blocker][watch] = kind;
    return said_.insert(watch).second;
  }
  bool blocks(int watch) const { return blocked_.contains(watch); }
  // Those that wait for the rights of this one: they do so no longer.
  Kinds take_blocked(int blocker) {
    auto taken = blocked_.extract(blocker);
    if (!taken) return {};
    for (const auto& [watch, kind] : taken.mapped()) blockers_.erase(watch);
    return std::move(taken.mapped());
  }
  // Watches of those that wait, and may do so with others.
  std::vector<int> waiting() const {
    std::vector<int> watches;
    for (const auto& [watch, blocker] : blockers_) watches.push_back(watch);
    return watches;
  }
  // How it was to be listed, and it waits no longer.
  ScanKind take(int watch) {
    const ScanKind kind = blocked_[blockers_[watch]][watch];
    release(watch);
    return kind;
  }
  bool waits_for_birth() const {
    return std::ranges::any_of(blocked_, [](const auto& blocked) {
      return std::ranges::any_of(blocked.second,
                                 [](const auto& one) { return one.second == ScanKind::birth; });
    });
  }

  // It could be listed.
  void settled(int watch) {
    if (!said_.empty()) said_.erase(watch);
  }

  // The watch tells of a change of rights though nobody asked for that.
  void set_telling(int watch) { telling_.insert(watch); }
  bool is_telling(int watch) const { return !telling_.empty() && telling_.contains(watch); }

  bool empty() const { return names_.empty() && blockers_.empty(); }
  void erase(int watch) {
    if (blockers_.contains(watch)) release(watch);
    names_.erase(watch);
    said_.erase(watch);
    telling_.erase(watch);
  }
  void clear() { *this = {}; }

 private:
  void release(int watch) {
    const auto blocker = blockers_.find(watch);
    const auto blocked = blocked_.find(blocker->second);
    blocked->second.erase(watch);
    if (blocked->second.empty()) blocked_.erase(blocked);
    blockers_.erase(blocker);
  }

  std::unordered_map<int, std::unordered_map<std::string, ScanKind>> names_;  // by the watch they stand in
  std::unordered_map<int, int> blockers_;                                     // by the watch of who waits
  std::unordered_map<int, Kinds> blocked_;                                    // by blocker
  std::unordered_set<int> said_;                                              // that they cannot be watched
  std::unordered_set<int> telling_;
};

}  // namespace notify_core::watch
