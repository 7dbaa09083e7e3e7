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
#include <utility>

#include "watch/sightings.hpp"
#include "watch/watch_tree.hpp"

namespace notify_core::watch {

struct Move {
  std::uint32_t cookie = 0;
  int watch = -1;           // of what moved: its MOVE_SELF is going to follow; negative: it was not watched
  bool unheard = false;     // no MOVE_SELF is going to follow
  int suspect = -1;         // which one it was, if it was watched after all
  bool comes_back = false;  // it was out of the tree; there is no place that it leaves
  bool is_old = false;      // unwatched, but what is in it is no news
  Sightings::Place from{};
  NodeId to_parent = no_node;  // no_node: no partner so far
  std::string to_name{};
};

class MovePairing {
 public:
  void add_from(Move move) {
    moves_.push_back(std::move(move));
    if (moves_.size() > most_kept) moves_.pop_front();
  }

  Move* by_cookie(std::uint32_t cookie) {
    return last([&](const Move& move) { return move.cookie == cookie; });
  }
  // The last move of a directory.
  Move* of(int watch) {
    return last([&](const Move& move) { return move.watch == watch; });
  }

  Move take(const Move* wanted) {
    const auto move = std::find_if(moves_.begin(), moves_.end(), [&](const Move& m) { return &m == wanted; });
    Move taken = std::move(*move);
    moves_.erase(move);
    return taken;
  }

  // The node is gone: nothing can arrive in it any more.
  void forget(NodeId node) {
    std::erase_if(moves_, [&](const Move& move) { return move.to_parent == node; });
  }
  void clear() { moves_.clear(); }

 private:
  template <class Matches>
  Move* last(Matches matches) {
    const auto move = std::find_if(moves_.rbegin(), moves_.rend(), matches);
    return move == moves_.rend() ? nullptr : &*move;
  }

  // Moves whose partner never comes (directories that were not watched and left) are few at a time.
  static constexpr std::size_t most_kept = 256;
  std::deque<Move> moves_;
};

}  // namespace notify_core::watch
