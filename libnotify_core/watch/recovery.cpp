// SPDX-License-Identifier: GPL-2.0-or-later
#include "watch/recovery.hpp"

#include <utility>

namespace notify_core::watch {

void Recovery::add(int watch, std::string_view name, bool directory) {
  // Found before: it came here with its directory, and is to be reported after that.
  if (Entry* entry = lookup(watch, name)) settle(*entry);
  found_.push_back(Entry{{watch, std::string(name), directory}});
  Entry* entry = &found_.back();  // stays where it is: a deque grows and shrinks at its ends
  Entry*& first = by_directory_[watch];
  if (first != nullptr) first->previous = entry;
  entry->next = std::exchange(first, entry);
  index_.emplace(Key{watch, entry->found.name}, entry);
}

bool Recovery::has_reported(int watch, std::string_view name) const {
  const Entry* entry = lookup(watch, name);
  return entry != nullptr && entry->state == State::reported;
}

Recovery::Entry* Recovery::lookup(int watch, std::string_view name) const {
  const auto position = index_.find(Key{watch, name});
  return position == index_.end() ? nullptr : position->second;
}

void Recovery::settle(Entry& entry) {
  index_.erase(Key{entry.found.watch, entry.found.name});
  entry.state = State::settled;
  if (entry.next != nullptr) entry.next->previous = entry.previous;
  if (entry.previous != nullptr) {
    entry.previous->next = entry.next;
  } else if (entry.next != nullptr) {
    by_directory_[entry.found.watch] = entry.next;
  } else {
    by_directory_.erase(entry.found.watch);
  }
}

void Recovery::report_with_parents(NodeId node, std::vector<Found>& due) {
  if (node == no_node || tree_.is_root(node)) return;
  report_with_parents(tree_.parent(node), due);
  Entry* entry = lookup(tree_.watch(tree_.parent(node)), tree_.name(node));
  if (entry == nullptr || entry->state != State::open) return;
  if (tree_.child(tree_.parent(node), tree_.name(node)) != node) return;  // the entry is what replaced it
  entry->state = State::reported;
  due.push_back(entry->found);
}

Recovery::Verdict Recovery::heard(NodeId node, std::string_view name, EventMask mask,
                                  std::vector<Found>& due) {
  report_with_parents(node, due);
  Entry* entry = name.empty() ? nullptr : lookup(tree_.watch(node), name);
  if (entry == nullptr) return Verdict::report;
  if (entry->state == State::reported) {
    const bool late_create = (mask & mask::create) != 0;
    // Once deleted or moved away, the name may be made anew.
    if (mask & (mask::create | mask::remove | mask::moved_from)) settle(*entry);
    return late_create ? Verdict::already_reported : Verdict::report;
  }
  if (mask & (mask::create | mask::moved_to)) {
    settle(*entry);
    return Verdict::report;
  }
  // It may have been something else before it was listed, of which this event speaks.
  due.push_back({entry->found.watch, entry->found.name, (mask & mask::is_directory) != 0});
  entry->state = State::reported;
  if (mask & (mask::remove | mask::moved_from)) settle(*entry);
  return Verdict::report;
}

void Recovery::drained(std::uint64_t mark, std::vector<Found>& due) {
  for (; drained_ < mark; ++drained_) {
    Entry& entry = found_[drained_ - forgotten_];
    if (entry.state != State::open) continue;
    // Its directory may have been found later, when that came to another place.
    report_with_parents(tree_.by_watch(entry.found.watch), due);
    entry.state = State::reported;
    due.push_back(entry.found);
  }
}

std::unordered_set<int> Recovery::forget(NodeId top) {
  std::unordered_set<int> watches;
  for (NodeId node = top; node != no_node; node = tree_.next_below(node, top)) {
    settle_all_in(tree_.watch(node), watches);
  }
  return watches;
}

// `open`: where to put the watch if anything in its directory is still to be reported.
void Recovery::settle_all_in(int watch, std::unordered_set<int>& open) {
  const auto position = by_directory_.find(watch);
  Entry* entry = position == by_directory_.end() ? nullptr : position->second;
  while (entry != nullptr) {
    Entry* const next = entry->next;
    if (entry->state == State::open) open.insert(watch);
    settle(*entry);
    entry = next;
  }
}

void Recovery::forget_old() {
  while (forgotten_ < old_) {
    if (found_.front().state != State::settled) settle(found_.front());
    found_.pop_front();
    ++forgotten_;
  }
  old_ = drained_;
}

}  // namespace notify_core::watch
