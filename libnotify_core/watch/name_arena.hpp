// SPDX-License-Identifier: GPL-2.0-or-later
// Names of directory entries (at most 255 bytes each), packed. A freed name's place is used again for one of
// the same size, so directories may be born and die for ever in the same memory.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

namespace notify_core::watch {

class NameArena {
 public:
  // Where a name lies, in units of eight bytes: 32 GiB of names can be told apart.
  using Place = std::uint32_t;

  Place store(std::string_view name) {
    const Place place = take(units_of(name.size()));
    std::memcpy(at(place), name.data(), name.size());
    return place;
  }

  void release(Place place, std::size_t length) {
    const std::uint32_t units = units_of(length);
    std::memcpy(at(place), &free_[units], sizeof(Place));
    free_[units] = place;
  }

  std::string_view view(Place place, std::size_t length) const { return {at(place), length}; }

 private:
  static constexpr std::uint32_t unit = 8;
  static constexpr std::uint32_t chunk_units = 8192;  // 64 KiB a chunk
  static constexpr Place nowhere = 0xffffffff;

  static std::uint32_t units_of(std::size_t length) {
    return length == 0 ? 1 : static_cast<std::uint32_t>((length + unit - 1) / unit);
  }

  char* at(Place place) const {
    return &chunks_[place / chunk_units][std::size_t{place % chunk_units} * unit];
  }

  Place take(std::uint32_t units) {
    if (free_[units] != nowhere) {
      const Place place = free_[units];
      std::memcpy(&free_[units], at(place), sizeof(Place));
      return place;
    }
    if (used_ + units > chunk_units) {
      chunks_.push_back(std::make_unique_for_overwrite<char[]>(std::size_t{chunk_units} * unit));
      used_ = 0;
    }
    const Place place = static_cast<Place>((chunks_.size() - 1) * chunk_units + used_);
    used_ += units;
    return place;
  }

  static constexpr std::array<Place, 33> none_free() {
    std::array<Place, 33> all{};
    all.fill(nowhere);
    return all;
  }

  std::vector<std::unique_ptr<char[]>> chunks_;
  std::uint32_t used_ = chunk_units;          // units of the last chunk
  std::array<Place, 33> free_ = none_free();  // by size in units: a list threaded through the free places
};

}  // namespace notify_core::watch
