// SPDX-License-Identifier: GPL-2.0-or-later
// An open-addressing hash table of 32-bit node numbers and nothing else: the keys stay in the nodes. Four
// bytes a slot, at most three quarters full.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace notify_core::watch {

class IdTable {
 public:
  static constexpr std::uint32_t none = 0xffffffff;

  // `matches(id)` tells whether the node is the one looked for.
  template <class Matches>
  std::uint32_t find(std::uint32_t hash, Matches matches) const {
    if (slots_.empty()) return none;
    for (std::size_t i = hash & mask();; i = (i + 1) & mask()) {
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
    std::size_t size = 64;
    while (count * 4 > size * 3) size *= 2;
    slots_.assign(size, none);
  }

  // Takes `id` out and moves its followers up, so that no tombstone is left behind.
  template <class HashOf>
  void erase(std::uint32_t id, HashOf hash_of) {
    std::size_t hole = hash_of(id) & mask();
    while (slots_[hole] != id) {
      if (slots_[hole] == none) return;
      hole = (hole + 1) & mask();
    }
    for (std::size_t i = (hole + 1) & mask(); slots_[i] != none; i = (i + 1) & mask()) {
      const std::size_t home = hash_of(slots_[i]) & mask();
      if (((i - home) & mask()) < ((i - hole) & mask())) continue;
      slots_[hole] = slots_[i];
      hole = i;
    }
    slots_[hole] = none;
    --count_;
  }

  std::size_t size() const { return count_; }

 private:
  std::size_t mask() const { return slots_.size() - 1; }

  void place(std::uint32_t id, std::uint32_t hash) {
    std::size_t i = hash & mask();
    while (slots_[i] != none) i = (i + 1) & mask();
    slots_[i] = id;
  }

  template <class HashOf>
  void grow(HashOf hash_of) {
    std::vector<std::uint32_t> old(slots_.empty() ? 64 : slots_.size() * 2, none);
    old.swap(slots_);
    for (const std::uint32_t id : old) {
      if (id != none) place(id, hash_of(id));
    }
  }

  std::vector<std::uint32_t> slots_;  // the size is a power of two
  std::size_t count_ = 0;
};

}  // namespace notify_core::watch
