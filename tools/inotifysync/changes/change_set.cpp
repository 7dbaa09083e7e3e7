// SPDX-License-Identifier: GPL-2.0-or-later
#include "inotifysync/changes/change_set.hpp"

#include <algorithm>
#include <utility>

#include "inotifysync/changes/path_names.hpp"

namespace inotifysync {
namespace {

constexpr std::size_t longest_path = 4096;

bool has_dots(std::string_view path) {
  for (std::string_view name = next_name(path); !name.empty(); name = next_name(path)) {
    if (name == "." || name == "..") return true;
  }
  return false;
}

// A path that rsync can be told, and the dirt that says the same there.
std::pair<std::string_view, Dirt> fitting(std::string_view path, Dirt dirt) {
  if (path.size() < longest_path) return {path, dirt};
  const std::size_t cut = path.rfind('/', longest_path - 1);
  return {cut == std::string_view::npos ? std::string_view{} : path.substr(0, cut),
          static_cast<Dirt>(dirt::subtree | dirt::content)};
}

}  // namespace

ChangeSet::ChangeSet(std::size_t max_nodes) : max_nodes_(std::max<std::size_t>(max_nodes, 4)) {
  entries_.emplace_back();
}

void ChangeSet::clear() {
  *this = ChangeSet(max_nodes_);
}

// ---- marking ----

void ChangeSet::mark(std::string_view path, Dirt dirt) {
  if (dirt == 0 || has_dots(path)) return;
  const auto [told, told_dirt] = fitting(path, dirt);
  const Index at = reach(told, told_dirt);
  if (at == none) return;
  if (told_dirt & dirt::gone) {
    // A name that was born in this very set is on no target.
    const bool born_here = (entries_[at].dirt & (dirt::created | dirt::gone)) == dirt::created;
    mark_gone(at, told_dirt, born_here ? 0 : 1);
  } else {
    // A directory that took the place of one in which something had changed: what was there is on the target.
    const bool replaced = (told_dirt & dirt::created) && entries_[at].first_child != none;
    set_dirt(at, static_cast<Dirt>(told_dirt | entries_[at].dirt | (replaced ? dirt::gone : 0)));
    if (told_dirt & dirt::subtree) drop_children(at);
  }
  if (live_ > max_nodes_) collapse();
}

void ChangeSet::mark_gone(Index index, Dirt dirt, std::uint64_t deletions) {
  // Whatever was to be said of a name that is gone now is past, but not that nobody knows what was below it.
  const bool comes_back = dirt & dirt::created;
  const Dirt before = entries_[index].dirt;
  const std::uint64_t known = entries_[index].deletions;
  if (any_uncounted(index)) dirt |= dirt::uncounted;
  deletions =
      std::max(known, std::min<std::uint64_t>(deletions + deletions_below(index) - known, 0xffffffff));
  set_dirt(index, static_cast<Dirt>(dirt | (comes_back ? before : before & dirt::unseen)));
  set_origin(index, {});
  drop_children(index);
  entries_[index].deletions = static_cast<std::uint32_t>(deletions);
}

bool ChangeSet::any_uncounted(Index top) const {
  constexpr Dirt more = dirt::subtree | dirt::doubtful | dirt::uncounted;
  for (Index at = top; at != none; at = next_in_order(at, top, true))
    if (entries_[at].dirt & more) return true;
  return false;
}

// Those of the name itself are counted in.
std::uint64_t ChangeSet::deletions_below(Index index) const {
  std::uint64_t sum = 0;
  for (Index at = index; at != none; at = next_in_order(at, index, true)) sum += entries_[at].deletions;
  return sum;
}

// Where the target has what `path` was before this set: through the renames of its ancestors. Empty where it
// has not.
std::string ChangeSet::origin_of(std::string_view path) const {
  Index at = 0;
  std::string origin;
  for (std::string_view name = next_name(path); !name.empty(); name = next_name(path)) {
    if (at != none && (entries_[at].dirt & dirt::subtree)) return {};
    if (!origin.empty()) origin += '/';
    origin += name;
    at = at == none ? none : find_child(at, name);
    if (at == none) continue;
    if (entries_[at].moved) {
      origin = moved_from_.at(at);
    } else if (entries_[at].dirt & (dirt::created | dirt::gone | dirt::subtree)) {
      return {};
    }
  }
  return origin;
}

std::vector<ChangeSet::Carried> ChangeSet::dirt_below(std::string_view path) const {
  std::vector<Carried> carried;
  const Index top = find(path);
  if (top == none || top == 0) return carried;
  const std::size_t skip = path_of(top).size();
  for (Index at = top; at != none; at = next_in_order(at, top, true)) {
    const Entry& entry = entries_[at];
    if (entry.dirt == 0) continue;
    carried.push_back({path_of(at).substr(std::min(skip + (at != top), path_of(at).size())), entry.dirt,
                       entry.moved ? moved_from_.at(at) : std::string{}});
  }
  return carried;
}

// Preorder within `top`; none at the end.
ChangeSet::Index ChangeSet::next_in_order(Index index, Index top, bool into_children) const {
  if (into_children && entries_[index].first_child != none) return entries_[index].first_child;
  while (index != top) {
    if (entries_[index].next != none) return entries_[index].next;
    index = entries_[index].parent;
  }
  return none;
}

// What arrived under the name `to`: from `origin` on the target (empty: not there), with the dirt it brings.
void ChangeSet::place_moved(std::string_view to, Dirt dirt, const std::string& origin,
                            const std::vector<Carried>& carried) {
  const bool linked = !origin.empty() && origin != to && to.size() < longest_path;
  const Dirt whole = linked ? Dirt{0} : static_cast<Dirt>(dirt::content | dirt::subtree);
  const auto [told, told_dirt] = fitting(to, static_cast<Dirt>(dirt | dirt::created | whole));
  const Index at = reach(told, told_dirt);
  if (at == none) return;
  const Dirt before = entries_[at].dirt;
  const bool changed_below = entries_[at].first_child != none;
  drop_children(at);
  set_origin(at, {});
  // What was here before is still on the target, unless it was born in this very set.
  const bool there =
      origin == to || (before == 0 && changed_below) ||
      (before != 0 && (before & (dirt::created | dirt::gone | dirt::doubtful)) != dirt::created);
  set_dirt(at, static_cast<Dirt>(told_dirt | (there ? dirt::gone : 0)));
  if (!linked) return;
  set_origin(at, origin);
  for (const Carried& one : carried) {
    if (one.below.empty()) {
      set_dirt(at, entries_[at].dirt | (one.dirt & (dirt::content | dirt::attributes | dirt::subtree)));
      continue;
    }
    const std::string below = std::string(to) + "/" + one.below;
    mark(below, one.dirt);
    const Index child = one.origin.empty() ? none : find(below);
    if (child != none && child != 0 && entries_[child].dirt) set_origin(child, one.origin);
  }
}

void ChangeSet::mark_moved(std::string_view from, std::string_view to) {
  if (has_dots(from) || has_dots(to)) return;
  const std::string origin = origin_of(from);
  const std::vector<Carried> carried = dirt_below(from);
  // Nothing is lost by a rename, so nothing is counted.
  if (const Index old = reach(from, dirt::gone); old != none) mark_gone(old, dirt::gone | dirt::uncounted, 0);
  place_moved(to, 0, origin, carried);
  if (live_ > max_nodes_) collapse();
}

void ChangeSet::merge(const ChangeSet& later) {
  struct Arrival {
    std::string origin;
    std::vector<Carried> carried;
  };
  std::unordered_map<Index, Arrival> arrivals;
  for (const auto& [index, from] : later.moved_from_) arrivals[index] = {origin_of(from), dirt_below(from)};

  std::string path;
  for (Index at = 0; at != none; at = later.next_in_order(at, 0, true)) {
    const Entry& entry = later.entries_[at];
    if (entry.dirt == 0) continue;
    path = later.path_of(at);
    if (!entry.moved) {
      mark(path, entry.dirt);
      const Index here = entry.deletions > 1 ? find(path) : none;
      if (here != none && entries_[here].deletions > 0) {
        entries_[here].deletions = std::max(entries_[here].deletions, entry.deletions);
      }
      continue;
    }
    const Arrival& arrival = arrivals[at];
    place_moved(path, entry.dirt, arrival.origin, arrival.carried);
  }
}

void ChangeSet::doubt_births(const std::function<bool(std::string_view path)>& may_know) {
  for (Index at = 0; at < entries_.size(); ++at) {
    Entry& entry = entries_[at];
    if (!entry.alive || !(entry.dirt & dirt::created)) continue;
    if (!may_know || may_know(path_of(at))) entry.dirt |= dirt::doubtful;
  }
}

// Over the bound: directories with the most dirty children are marked whole first.
void ChangeSet::collapse() {
  std::vector<Index> directories;
  for (Index at = 0; at < entries_.size(); ++at) {
    if (entries_[at].alive && entries_[at].children > 1) directories.push_back(at);
  }
  std::sort(directories.begin(), directories.end(),
            [this](Index a, Index b) { return entries_[a].children > entries_[b].children; });
  for (const Index at : directories) {
    if (live_ <= max_nodes_ / 2) return;
    if (!entries_[at].alive) continue;
    drop_children(at);
    set_dirt(at, entries_[at].dirt | dirt::subtree | dirt::content);
  }
  if (live_ <= max_nodes_ / 2) return;
  drop_children(0);  // nothing but long single chains
  set_dirt(0, entries_[0].dirt | dirt::subtree | dirt::content);
}

// ---- looking ----

void ChangeSet::for_each(
    const std::function<void(std::string_view path, Dirt dirt, std::string_view moved_from)>& visit) const {
  for (Index at = 0; at != none; at = next_in_order(at, 0, true)) {
    const Entry& entry = entries_[at];
    if (entry.dirt == 0) continue;
    visit(path_of(at), entry.dirt, entry.moved ? std::string_view(moved_from_.at(at)) : std::string_view{});
  }
}

Dirt ChangeSet::dirt_of(std::string_view path) const {
  const Index at = find(path);
  return at == none ? Dirt{0} : entries_[at].dirt;
}

std::size_t ChangeSet::memory() const {
  return sizeof *this + entries_.capacity() * sizeof(Entry) + names_.capacity() +
         table_.capacity() * sizeof(Index) + moved_from_.size() * 128;
}

std::string_view ChangeSet::Node::name() const {
  return set_->name_of(index_);
}
Dirt ChangeSet::Node::dirt() const {
  return set_->entries_[index_].dirt;
}
std::uint64_t ChangeSet::Node::deletions() const {
  return set_->deletions_below(index_);
}
bool ChangeSet::Node::has_children() const {
  return set_->entries_[index_].first_child != none;
}

std::string_view ChangeSet::Node::moved_from() const {
  return set_->entries_[index_].moved ? std::string_view(set_->moved_from_.at(index_)) : std::string_view{};
}

void ChangeSet::Node::for_each_child(const std::function<void(Node)>& visit) const {
  for (Index at = set_->entries_[index_].first_child; at != none; at = set_->entries_[at].next) {
    visit(Node(set_, at));
  }
}

}  // namespace inotifysync
