// SPDX-License-Identifier: GPL-2.0-or-later
// Where watched directories were seen, of which the queue has yet to tell how they came there. Pure data, by
// watch. One that is moved on and on may be seen several times before the queue tells of the first.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace notify_core::watch {

class Sightings {
 public:
  struct Place {
    int parent = -1;  // the watch; -1: nowhere
    std::string name{};
    bool told = false;  // the queue has said that something came there
    bool operator==(const Place& other) const { return parent == other.parent && name == other.name; }
  };

  void add(int watch, Place place) {
    std::vector<Place>& places = places_[watch];
    if (places.empty() || places.back() != place) places.push_back(std::move(place));
  }
  // Where it was seen last; null: it was not seen.
  const Place* last(int watch) const {
    const auto places = places_.find(watch);
    return places == places_.end() ? nullptr : &places->second.back();
  }
  std::vector<Place> all(int watch) const {
    const auto places = places_.find(watch);
    return places == places_.end() ? std::vector<Place>() : places->second;
  }
  // It came to this place, as the queue has it.
  void reached(int watch, const Place& place) {
    const auto places = places_.find(watch);
    if (places == places_.end()) return;
    const auto seen = std::ranges::find(places->second, place);
    if (seen != places->second.end()) places->second.erase(places->second.begin(), seen + 1);
    if (places->second.empty()) places_.erase(places);
  }

  bool contains(int watch) const { return places_.contains(watch); }
  bool empty() const { return places_.empty(); }
  void erase(int watch) { places_.erase(watch); }
  void clear() { places_.clear(); }
  // visit(watch, the place where it was seen last)
  template <class Visit>
  void for_each(Visit visit) const {
    for (const auto& [watch, places] : places_) visit(watch, places.back());
  }

 private:
  std::unordered_map<int, std::vector<Place>> places_;  // none of them empty
};

}  // namespace notify_core::watch
