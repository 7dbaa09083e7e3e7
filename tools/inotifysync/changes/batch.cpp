// SPDX-License-Identifier: GPL-2.0-or-later
#include "inotifysync/changes/batch.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "inotifysync/changes/list_entry.hpp"
#include "inotifysync/changes/path_names.hpp"
#include "inotifysync/config/patterns.hpp"

namespace inotifysync {
namespace {

constexpr std::size_t links_sought_at_most = 200'000;
constexpr Dirt whole_and_new = dirt::created | dirt::subtree | dirt::content;

Dirt without_stray(ChangeSet::Node node) {
  return static_cast<Dirt>(node.dirt() & ~dirt::stray);
}

class Planner {
 public:
  Planner(FileSystemView& files, const PlanOptions& options) : files_(files), options_(options) {
    exact_.kind = StepKind::exact;
    exact_.from_root = attributes_.from_root = !options.source.empty();
    exact_.ignore_times = true;
    exact_.counted = true;
    exact_.deletes = options.deletion == Deletion::missing_args;
    attributes_.kind = StepKind::attributes;
    subtree_.kind = StepKind::subtree;
    subtree_again_.kind = StepKind::subtree;
    subtree_again_.ignore_times = true;
    subtree_.deletes = subtree_again_.deletes = options.deletion != Deletion::none;
    directories_.kind = StepKind::directories;
    directories_.deletes = true;
  }

  Batch plan(const ChangeSet& changes) {
    const ChangeSet::Node root = changes.root();
    if (root.dirt() & (dirt::subtree | dirt::gone)) {
      batch_.full = true;
      batch_.trees.emplace_back();
      batch_.paths = 1;
      batch_.steps.push_back(full_step(options_));
      return std::move(batch_);
    }
    root_wanted_ = (root.dirt() & ~dirt::stray) != 0;
    if (root.dirt() & dirt::stray) sweep("");
    root.for_each_child([this](ChangeSet::Node child) { visit(child, std::string(child.name()), false); });
    return finish();
  }

 private:
  struct Found {
    std::string path;
    FileInfo info;
  };

  void list(Step& step, std::string_view path, Dirt dirt, bool missing = false) {
    root_rides_ = root_rides_ || (at_top(path) && &step == &exact_);
    Step::Entry entry = append_name(step, options_.source, path, at_top(path), false);
    entry.dirt = dirt;
    entry.missing = missing;
    step.entries.push_back(entry);
  }

  void visit(ChangeSet::Node node, const std::string& path, bool born_above) {
    const FileInfo info = files_.lstat(path);
    const bool directory = info.type == FileInfo::Type::directory;
    if (excluded(path, info)) {
      if (may_be_left_over(node, path, info)) sweep(parent_of(path));
      return;
    }
    if (info.type == FileInfo::Type::missing) {
      if (node.dirt() != dirt::stray || node.has_children()) add_missing(node, path);
      return;
    }
    if (!fits(path)) return add_subtree(path, dirt::subtree | dirt::content);
    if (!directory) return visit_file(node, path, info, born_above);

    if (node.dirt() & dirt::stray) sweep(path);
    const Dirt dirt = without_stray(node);
    const bool born = born_above || (dirt & dirt::created);
    count_renamed(node, path);
    if (!node.moved_from().empty()) {
      if (!link_directory(node, path, born_above)) return add_new_tree(path, dirt);
    } else if (dirt & (dirt::subtree | dirt::gone)) {
      const bool fresh = (dirt & dirt::created) && !(dirt & dirt::gone);
      return fresh ? add_new_tree(path, dirt) : add_subtree(path, dirt);
    } else if (dirt) {
      add_directory(path, dirt);
      exact_.entries.back().expected = dirt::only_changed(dirt) && !born_above;
      if (dirt & dirt::doubtful) sweep(path);
    }
    if (dirt & dirt::subtree) return add_subtree(path, dirt);
    node.for_each_child(
        [&](ChangeSet::Node child) { visit(child, path + "/" + std::string(child.name()), born); });
  }

  bool excluded(const std::string& path, const FileInfo& info) const {
    if (options_.patterns == nullptr) return false;
    if (info.type != FileInfo::Type::missing) {
      return options_.patterns->excludes(path, info.type == FileInfo::Type::directory);
    }
    // What it was is not known any more: what may have been excluded is not named.
    return options_.patterns->excludes(path, true) || options_.patterns->excludes(path, false);
  }

  // Only a file or only a directory of that name is excluded, and a target may have the other one.
  bool may_be_left_over(ChangeSet::Node node, const std::string& path, const FileInfo& info) const {
    if (info.type != FileInfo::Type::missing && (node.dirt() & dirt::gone) == 0) return false;
    return options_.patterns->excludes(path, true) != options_.patterns->excludes(path, false);
  }

  void visit_file(ChangeSet::Node node, const std::string& path, const FileInfo& info, bool born_above) {
    // An inner node that is no directory any more was replaced.
    const Dirt dirt =
        without_stray(node) ? without_stray(node) : Dirt{dirt::created | dirt::content | dirt::gone};
    if (options_.limited && may_replace_tree(node)) exact_.limitable = false;
    count_renamed(node, path);
    if (!node.moved_from().empty() && link_file(node, path, info, born_above)) return;
    add_file(path, info, static_cast<Dirt>(dirt & ~dirt::subtree));
  }

  // To what is in the way of a file, rsync would apply the limit as well.
  static bool may_replace_tree(ChangeSet::Node node) {
    return node.dirt() == 0 || (node.dirt() & dirt::unseen) || node.deletions() > 1 || node.any_uncounted();
  }

  void add_file(const std::string& path, const FileInfo& info, Dirt dirt) {
    const bool large = info.type == FileInfo::Type::file && info.size > options_.attributes_alone;
    Step& step = large && dirt == dirt::attributes ? attributes_ : exact_;
    const bool linked = info.type != FileInfo::Type::unreadable && info.links > 1;
    if (linked && !comes_with(step, path)) return;
    list(step, path, dirt);
    if (linked) append_link(step, info);
    if (info.type == FileInfo::Type::file) step.entries.back().size = info.size;
    // Below the top, the directory that has to be made for it tells.
    step.entries.back().expected = dirt::only_changed(dirt) && at_top(path) && !linked;
    count(info);
    if (!linked) return;
    for (const std::string& other : files_.hard_links(path, info)) {
      if (options_.patterns && options_.patterns->hides(other, false)) continue;
      if (!comes_with(step, other)) continue;
      list(step, other, dirt);
      append_link(step, info);
      ++batch_.paths;
    }
  }

  // Whether one name of several goes on this list, too; known late, it may miss the others'.
  bool comes_with(const Step& step, const std::string& name) {
    const Step*& with = by_link_[name];
    if (with == &exact_ || with == &step) return false;
    with = &step;
    return true;
  }

  void count(const FileInfo& info) {
    ++batch_.paths;
    if (info.type == FileInfo::Type::file) batch_.bytes += info.size;
  }

  void add_directory(std::string_view path, Dirt dirt) {
    if (path.empty()) {
      root_wanted_ = true;
      return;
    }
    list(exact_, path, dirt);
    ++batch_.paths;
  }

  // A run that deletes what is in the directory and not in the source.
  void sweep(std::string_view path) {
    if (options_.deletion == Deletion::none || !swept_.emplace(path).second) return;
    append_name(directories_, {}, path, at_top(path), true);
    directories_.owed.push_back({std::string(path), dirt::stray});
  }

  void add_missing(ChangeSet::Node node, const std::string& path) {
    if (options_.deletion == Deletion::missing_args) {
      batch_.missing += node.deletions();
      if (options_.limited && !dirt::is_counted(node.dirt())) exact_.counted = false;
      const Dirt uncounted = node.any_uncounted() ? dirt::uncounted : Dirt{0};
      if (uncounted) exact_.limitable = false;
      list(exact_, path, static_cast<Dirt>(dirt::gone | uncounted | (node.dirt() & dirt::unseen)), true);
      ++batch_.paths;
      return;
    }
    // Either way the directory it was in has new times.
    const std::string_view parent = parent_of(path);
    if (options_.deletion == Deletion::none) {
      if (parents_listed_.emplace(parent).second) add_directory(parent, dirt::attributes);
      return;
    }
    batch_.missing += node.deletions();
    directories_.owed.push_back({path, dirt::gone});
    ++batch_.paths;
    if (!parents_listed_.emplace(parent).second) return;
    append_name(directories_, {}, parent, at_top(parent), true);
  }

  void add_subtree(const std::string& path, Dirt dirt) {
    batch_.trees.push_back(path);
    Step& step = (dirt & (dirt::content | dirt::gone)) ? subtree_again_ : subtree_;
    list(step, path, static_cast<Dirt>(dirt | dirt::subtree));
    ++batch_.paths;
    list_links(path, false);
  }

  // Hard links between this tree and the rest are made by the list run that follows.
  void list_links(const std::string& tree, bool only_outside) {
    const auto is_outside = [&](const std::string& name) { return !is_below(name, tree); };
    std::size_t left = links_sought_at_most;
    for_each_below(tree, [&](const std::string& below, const FileInfo& info) {
      const bool has_more = info.type == FileInfo::Type::file && info.links > 1;
      if (has_more && (!only_outside || std::ranges::any_of(files_.hard_links(below, info), is_outside)))
        add_file(below, info, dirt::content);
      return --left > 0;
    });
  }

  // A directory that the target has not: everything in it by name, so that the one list run does it.
  void add_new_tree(const std::string& path, Dirt dirt) {
    const auto found = walk(path, options_.list_at_most, ~std::uint64_t{0});
    if (!found || (dirt & dirt::gone)) return add_subtree(path, static_cast<Dirt>(dirt | whole_and_new));
    batch_.trees.push_back(path);
    add_directory(path, dirt::created);
    if (dirt & dirt::doubtful) sweep(path);
    add_found(*found, dirt & dirt::doubtful);
  }

  void add_found(const std::vector<Found>& found, bool doubtful) {
    for (const Found& one : found) {
      if (one.info.type == FileInfo::Type::directory) {
        add_directory(one.path, dirt::created);
        if (doubtful) sweep(one.path);
      } else if (!options_.is_kept_back || !options_.is_kept_back(one.path)) {
        add_file(one.path, one.info, dirt::created | dirt::content);
      }
    }
  }

  // Everything below a directory, parents first. False where `visit`, or what cannot be read, ended it.
  template <class Visit>
  bool for_each_below(const std::string& top, Visit visit) {
    std::vector<std::string> pending{top};
    bool go_on = true;
    while (!pending.empty() && go_on) {
      const std::string directory = std::move(pending.back());
      pending.pop_back();
      const bool read = files_.list(directory, [&](std::string_view name) {
        if (!go_on) return;
        std::string path = directory + "/" + std::string(name);
        const FileInfo info = files_.lstat(path);
        if (info.type == FileInfo::Type::missing || excluded(path, info)) return;
        go_on = visit(path, info);
        if (info.type == FileInfo::Type::directory) pending.push_back(std::move(path));
      });
      go_on = go_on && read;
    }
    return go_on;
  }

  // rsync says nothing of a name on a list that is too long for it; of one that it finds itself, it does.
  bool fits(std::string_view path) const {
    constexpr std::size_t longest = 4096, around = 4;  // "/./" and the NUL
    return path.size() + options_.source.size() + around <= longest;
  }

  // What is below a directory; nothing beyond the limits, or where it cannot be read.
  std::optional<std::vector<Found>> walk(const std::string& top, std::size_t at_most, std::uint64_t bytes) {
    std::vector<Found> found;
    const bool whole = for_each_below(top, [&](const std::string& path, const FileInfo& info) {
      const std::uint64_t size = info.type == FileInfo::Type::file ? info.size : 0;
      if (found.size() >= at_most || size > bytes || !fits(path)) return false;
      bytes -= size;
      found.push_back({path, info});
      return true;
    });
    if (!whole) return std::nullopt;
    return found;
  }

  // The target is told to link from an old place that it still has, and loses afterwards.
  bool linkable(ChangeSet::Node node) {
    if (!options_.links || options_.deletion == Deletion::none) return false;
    return files_.lstat(std::string(node.moved_from())).type == FileInfo::Type::missing;
  }

  // What goes from under an old name, rsync counts as deleted; where it minds the limit, it has that more.
  void count_renamed(ChangeSet::Node node, const std::string& path) {
    if (!options_.limited || options_.deletion == Deletion::none || node.moved_from().empty()) return;
    if (files_.lstat(std::string(node.moved_from())).type != FileInfo::Type::missing) return;
    std::uint64_t& renamed =
        options_.deletion == Deletion::by_directory ? directories_.renamed : exact_.renamed;
    ++renamed;
    for_each_below(path, [&](const std::string&, const FileInfo&) { return ++renamed > 0; });
  }

  // False: it is not to be linked and must be sent as something new.
  bool link_directory(ChangeSet::Node node, const std::string& path, bool born_above) {
    if ((node.dirt() & dirt::gone) || !linkable(node) || looks_like_pattern(path)) return false;
    std::optional<PatternList> filters;
    if (options_.patterns && !(filters = options_.patterns->below(path))) return false;
    if (const auto found = walk(path, options_.resend_at_most, options_.resend_below)) return false;
    batch_.trees.push_back(path);
    add_move(StepKind::move_directory, node, path, born_above);
    if (filters) batch_.steps.back().filters = filters->rsync_options();
    add_directory(path, dirt::created);
    list_links(path, true);
    return true;
  }

  bool link_file(ChangeSet::Node node, const std::string& path, const FileInfo& info, bool born_above) {
    const bool alone = info.type == FileInfo::Type::file && info.links == 1;
    if (!alone || info.size < options_.resend_below || !linkable(node) || looks_like_pattern(parent_of(path)))
      return false;
    add_move(StepKind::move_file, node, path, born_above);
    if (!parents_listed_.emplace(parent_of(path)).second) return true;
    add_directory(parent_of(path), dirt::attributes);
    if (!at_top(path)) exact_.entries.back().expected = !born_above;
    return true;
  }

  void add_move(StepKind kind, ChangeSet::Node node, const std::string& path, bool make_parents) {
    Step step;
    step.kind = kind;
    step.deletes = kind == StepKind::move_directory;
    step.make_parents = make_parents;
    step.from = node.moved_from();
    step.to = path;
    step.owed.push_back(
        {path, kind == StepKind::move_file ? Dirt{dirt::created | dirt::content} : whole_and_new});
    batch_.steps.push_back(std::move(step));
    ++batch_.paths;
  }

  Batch finish() {
    if (root_wanted_ && !root_rides_ && !exact_.entries.empty()) {
      // Any entry can bring the top along; named twice, it is sent once.
      const std::string first(exact_.path(exact_.entries.front()));
      append_name(exact_, options_.source, first, true, false);
      root_rides_ = true;
    }
    if (root_wanted_) exact_.owed.push_back({"", dirt::attributes});
    for (Step* step : {&subtree_, &subtree_again_, &exact_, &attributes_, &directories_}) {
      if (!step->names.empty()) batch_.steps.push_back(std::move(*step));
    }
    if (root_wanted_ && !root_rides_) {
      Step root;
      root.kind = StepKind::root;
      root.owed.push_back({"", dirt::attributes});
      batch_.steps.push_back(std::move(root));
      ++batch_.paths;
    }
    return std::move(batch_);
  }

  FileSystemView& files_;
  const PlanOptions& options_;
  Batch batch_;
  Step exact_, attributes_, subtree_, subtree_again_, directories_;
  std::map<std::string, const Step*> by_link_;  // the list that a name of a file with several is on
  std::set<std::string, std::less<>> parents_listed_;
  std::set<std::string, std::less<>> swept_;
  bool root_wanted_ = false, root_rides_ = false;
};

}  // namespace

Step full_step(const PlanOptions& options) {
  Step step;
  step.kind = StepKind::full;
  step.deletes = options.deletion != Deletion::none;
  step.owed.push_back({"", dirt::subtree});
  return step;
}

Batch plan_batch(const ChangeSet& changes, FileSystemView& files, const PlanOptions& options) {
  Batch batch = Planner(files, options).plan(changes);
  batch.source = options.source;
  return batch;
}

}  // namespace inotifysync
