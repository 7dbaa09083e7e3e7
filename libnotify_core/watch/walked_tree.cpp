// SPDX-License-Identifier: GPL-2.0-or-later
#include "watch/walked_tree.hpp"

#include <algorithm>
#include <cstddef>
#include <string>

namespace notify_core::watch {

// Of two names of one directory among the operands, the first stays; unless it was moved in mid-walk.
bool WalkedTree::begin(std::string_view name, int watch) {
  const NodeId known = note(watch) ? no_node : tree_.by_watch(watch);
  if (known == no_node) {
    at_hand_.push_back(tree_.add_child(at_hand_.back(), name, watch));
    return true;
  }
  tree_.set_swept(known);
  if (tree_.is_root(known)) adopt(known, name);
  if (!tree_.is_root(known)) listener_.sighted(known, at_hand_.back(), name, true);
  return false;
}

// True where it is a new one.
bool WalkedTree::note(int watch) {
  if (watch < first_) return false;
  const auto bit = static_cast<std::size_t>(watch - first_);
  if (bit >= met_.size()) met_.resize(std::max(bit + 1, met_.size() * 2));
  const bool is_new = !met_[bit];
  met_[bit] = true;
  return is_new;
}

// An operand below another one follows that one's renames, as long as both say its path alike.
void WalkedTree::adopt(NodeId root, std::string_view name) {
  std::string path(tree_.path(at_hand_.back()));
  path.append(name).append("/");
  if (tree_.path(root) == path) tree_.adopt(root, at_hand_.back(), name);
}

void WalkedTree::end(bool leaf) {
  if (leaf) tree_.set_unlisted(at_hand_.back());
  tree_.set_order(at_hand_.back());
  at_hand_.pop_back();
}

void WalkedTree::missed(int watch) {
  const NodeId node = tree_.by_watch(watch);
  if (node != no_node) listener_.unlisted(node, false);
}

}  // namespace notify_core::watch
