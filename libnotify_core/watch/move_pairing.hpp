// SPDX-License-Identifier: GPL-2.0-or-later
// The two halves of a rename, and the word that ends it. Pure data.
//
// For a directory under watch the kernel queues MOVED_FROM, MOVED_TO (where the new parent is watched) and
// then MOVE_SELF on the directory itself, in this order and out of one system call (fsnotify_move() in
// include/linux/fsnotify.h). So MOVE_SELF tells without any waiting whether a partner came: if none did, the
// directory left the tree.
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
  bool from_watched = false;   // the directory was a node: MOVE_SELF will follow
  bool from_excluded = false;  // it was left unwatched on purpose
  NodeId to_parent = no_node;  // no_node: no partner so far
  std::string to_name;
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

  // The last directory that left this place. What MOVE_SELF is said of stood there when MOVED_FROM was
  // queued.
  Move* by_place(NodeId parent, std::string_view name) {
    for (auto move = moves_.rbegin(); move != moves_.rend(); ++move) {
      if (move->from_parent == parent && move->from_name == name) return &*move;
    }
    return nullptr;
  }

  Move take(const Move* wanted) {
    const auto move = std::find_if(moves_.begin(), moves_.end(), [&](const Move& m) { return &m == wanted; });
    Move taken = std::move(*move);
    moves_.erase(move);
    return taken;
  }

  // Takes a move that has a partner but saw no MOVE_SELF; false where there is none.
  bool take_unconfirmed(Move& out) {
    return take_if(out, [](const Move& move) { return move.to_parent != no_node; });
  }

  // Takes a move from this place; false where there is none.
  bool take_from(NodeId parent, std::string_view name, Move& out) {
    return take_if(out, [&](const Move& m) { return m.from_parent == parent && m.from_name == name; });
  }

  // The node is gone: nothing can have left it or arrived in it any more.
  void forget(NodeId node) {
    std::erase_if(moves_, [&](const Move& m) { return m.from_parent == node || m.to_parent == node; });
  }
  void clear() { moves_.clear(); }
  bool empty() const { return moves_.empty(); }

 private:
  template <class Wanted>
  bool take_if(Move& out, Wanted wanted) {
    const auto move = std::find_if(moves_.begin(), moves_.end(), wanted);
    if (move == moves_.end()) return false;
    out = std::move(*move);
    moves_.erase(move);
    return true;
  }

  // Moves whose partner never comes (files' parents unwatched, directories that left) are few at a time.
  static constexpr std::size_t most_kept = 256;
  std::deque<Move> moves_;
};

}  // namespace notify_core::watch
