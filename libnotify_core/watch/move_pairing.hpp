// SPDX-License-Identifier: GPL-2.0-or-later
// The two halves of a rename, and the word that ends it. Pure data.
//
// For a directory under watch the kernel queues MOVED_FROM, MOVED_TO (where the new parent is watched) and
// then MOVE_SELF on the directory itself, in this order and out of one system call (fsnotify_move() in
// include/linux/fsnotify.h). So MOVE_SELF tells without any waiting whether a partner came: if none did, the
// directory left the tree.
//
// Which directory moved is known at once where one was watched at the place left before MOVED_FROM was queued
// (`certain`). One that was watched later may have come there after the move: then only MOVE_SELF tells.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <utility>

#include "watch/watch_tree.hpp"

namespace notify_core::watch {

struct Move {
  std::uint32_t cookie = 0;
  NodeId from_parent = no_node;
  std::string from_name;
  int watch = -1;              // of what stood there as far as is known: MOVE_SELF should follow; -1: nothing
  bool certain = false;        // that is what moved
  bool from_excluded = false;  // it was left unwatched on purpose
  NodeId to_parent = no_node;  // no_node: no partner so far
  std::string to_name{};
  bool looked_at = false;  // its new place, when no MOVE_SELF had come so far
};

class MovePairing {
 public:
  void add_from(Move move) {
    moves_.push_back(std::move(move));
    if (moves_.size() > most_kept) moves_.pop_front();
  }

  Move* by_cookie(std::uint32_t cookie) {
    for (auto move = moves_.rbegin(); move != moves_.rend(); ++move) {
      if (move->cookie == cookie) return &*move;
    }
    return nullptr;
  }

  // The last move of the directory of `watch`, which stands in this place: what MOVE_SELF is said of stood
  // there when MOVED_FROM was queued, unless it was put at its new place since.
  Move* of(int watch, NodeId parent, std::string_view name) {
    for (auto move = moves_.rbegin(); move != moves_.rend(); ++move) {
      if (move->certain ? move->watch == watch : move->from_parent == parent && move->from_name == name)
        return &*move;
    }
    return nullptr;
  }

  Move take(const Move* wanted) {
    const auto move = std::find_if(moves_.begin(), moves_.end(), [&](const Move& m) { return &m == wanted; });
    Move taken = std::move(*move);
    moves_.erase(move);
    return taken;
  }

  // A move of which MOVE_SELF is still to tell where it led, and that was not looked at so far.
  Move* unconfirmed() {
    const auto move = std::find_if(moves_.begin(), moves_.end(), [](const Move& m) {
      return m.watch >= 0 && !m.looked_at && (m.to_parent == no_node || !m.certain);
    });
    return move == moves_.end() ? nullptr : &*move;
  }

  // Takes a move from this place; false where there is none.
  bool take_from(NodeId parent, std::string_view name, Move& out) {
    const auto move = std::find_if(moves_.begin(), moves_.end(), [&](const Move& m) {
      return m.from_parent == parent && m.from_name == name;
    });
    if (move == moves_.end()) return false;
    out = std::move(*move);
    moves_.erase(move);
    return true;
  }

  // The node is gone: nothing can arrive in it any more. What had left it before for a place in the tree is
  // there all the same.
  void forget(NodeId node) {
    std::erase_if(moves_, [&](const Move& m) {
      return m.to_parent == node || (m.from_parent == node && m.to_parent == no_node);
    });
    for (Move& move : moves_) {
      if (move.from_parent == node) move.from_parent = no_node;
    }
  }
  void clear() { moves_.clear(); }
  bool empty() const { return moves_.empty(); }

 private:
  // Moves whose partner never comes (files' parents unwatched, directories that left) are few at a time.
  static constexpr std::size_t most_kept = 256;
  std::deque<Move> moves_;
};

// Places of which the queue has said that a directory is there, and it could not be watched, at least not
// there. The last few are enough: who is not sure of a place waits for MOVE_SELF.
class UnwatchedPlaces {
 public:
  void add(int parent, std::string_view name) {
    places_.push_back({parent, std::string(name)});
    if (places_.size() > most_kept) places_.pop_front();
  }
  bool holds(int parent, std::string_view name) const {
    return std::any_of(places_.begin(), places_.end(),
                       [&](const auto& place) { return place.first == parent && place.second == name; });
  }

 private:
  static constexpr std::size_t most_kept = 256;
  std::deque<std::pair<int, std::string>> places_;  // watch of the parent, name
};

}  // namespace notify_core::watch
