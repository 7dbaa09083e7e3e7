// SPDX-License-Identifier: GPL-2.0-or-later
#include "libinotifytools/watch_table.hpp"

namespace notify_core::inotifytools {

void WatchTable::add(int number, std::string_view name, EventMask events) {
  const auto [place, is_new] = watches_.try_emplace(number);
  ::watch& watch = place->second;
  watch.events = events;
  const bool named = numbers_.emplace(name, number).second;
  if (is_new) {
    watch.number = number;
    watch.name = name;
  } else if (named) {
    watch.other_names.emplace_back(name);
  }
}

void WatchTable::remove(int number) {
  const auto found = watches_.find(number);
  if (found == watches_.end()) return;
  forget_names(found->second);
  watches_.erase(found);
}

::watch* WatchTable::find(int number) {
  const auto found = watches_.find(number);
  return found != watches_.end() ? &found->second : nullptr;
}

::watch* WatchTable::find(std::string_view name) {
  const auto found = numbers_.find(name);
  return found != numbers_.end() ? find(found->second) : nullptr;
}

void WatchTable::rename(int number, std::string_view name) {
  ::watch* watch = find(number);
  if (watch == nullptr) return;
  forget_names(*watch);
  watch->name = name;
  watch->other_names.clear();
  numbers_.insert_or_assign(watch->name, number);
}

void WatchTable::replace_prefix(std::string_view prefix, std::string_view replacement) {
  std::vector<int> affected;
  for (const auto& [number, watch] : watches_) {
    if (watch.name.starts_with(prefix)) affected.push_back(number);
  }
  for (const int number : affected) {
    rename(number, std::string(replacement) + find(number)->name.substr(prefix.size()));
  }
}

void WatchTable::reset_counts() {
  for (auto& [number, watch] : watches_) watch.counts = {};
}

void WatchTable::forget_names(const ::watch& watch) {
  const auto forget = [&](const std::string& name) {
    const auto found = numbers_.find(name);
    if (found != numbers_.end() && found->second == watch.number) numbers_.erase(found);
  };
  forget(watch.name);
  for (const std::string& name : watch.other_names) forget(name);
}

}  // namespace notify_core::inotifytools
