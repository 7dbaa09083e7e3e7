// SPDX-License-Identifier: GPL-2.0-or-later
// An open-addressing hash table of 32-bit node numbers and nothing else: the keys stay in the nodes. Four
// bytes a slot, at most three quarters full.
//
// Hashes may be numbers given in order, as watch descriptors are: they are spread over the table. Side by
// side, they would make one long run of taken slots, all of which erase() would have to look through.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace notify_core::watch {

class IdTable {
 public:
  static constexpr std::uint32_t none = 0xffffffff;

  // `matches(id)` tells whether the node is the one looked for.
  template <class Matches>
  std::uint32_t find(std::uint32_t hash, Matches matches) const {
    if (slots_.empty()) return none;
    for (std::size_t i = home(hash);; i = (i + 1) & mask()) {
      if (slots_[i] == none || matches(slots_[i])) return slots_[i];
    }
  }

  // The id must not be in the table. `hash_of(id)` is asked of other ids when the table grows.
  template <class HashOf>
  void insert(std::uint32_t id, HashOf hash_of) {
    if ((count_ + 1) * 4 > slots_.size() * 3) grow(hash_of);
    place(id, hash_of(id));
    ++count_;
  }

  // Makes room for so many, while the table is empty.
  void reserve(std::size_t count) {
    std::size_t size = least_size;
    while (count * 4 > size * 3) size *= 2;
    resize(size);
  }

  // Takes `id` out and moves its followers up, so that no tombstone is left behind.
  template <class HashOf>
  void erase(std::uint32_t id, HashOf hash_of) {
    std::size_t hole = home(hash_of(id));
    while (slots_[hole] != id) {
      if (slots_[hole] == none) return;
      hole = (hole + 1) & mask();
    }
    for (std::size_t i = (hole + 1) & mask(); slots_[i] != none; i = (i + 1) & mask()) {
      if (((i - home(hash_of(slots_[i]))) & mask()) < ((i - hole) & mask())) continue;
      slots_[hole] = slots_[i];
      hole = i;
    }
    slots_[hole] = none;
    --count_;
  }

  std::size_t size() const { return count_; }

 private:
  static constexpr std::size_t least_size = 64;

  std::size_t mask() const { return slots_.size() - 1; }
  // By the golden ratio: of numbers in order, each falls into the widest gap that those before it left.
  std::size_t home(std::uint32_t hash) const { return (hash * std::uint32_t{0x9e3779b1}) >> shift_; }

  void resize(std::size_t size) {
    slots_.assign(size, none);
    shift_ = 32 - std::countr_zero(size);
  }

  void place(std::uint32_t id, std::uint32_t hash) {
    std::size_t i = home(hash);
    while (slots_[i] != none) i = (i + 1) & mask();
    slots_[i] = id;
  }

  template <class HashOf>
  void grow(HashOf hash_of) {
    const std::vector<std::uint32_t> old = std::move(slots_);
    resize(old.empty() ? least_size : old.size() * 2);
    for (const std::uint32_t id : old) {
      if (id != none) place(id, hash_of(id));
    }
  }

  std::vector<std::uint32_t> slots_;  // the size is a power of two
  int shift_ = 0;                     // 32 less the logarithm of the size
  std::size_t count_ = 0;
};

}  // namespace notify_core::watch
