// SPDX-License-Identifier: GPL-2.0-or-later
// The part of TargetWorker that says what a run has done.
#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "inotifysync/delivery/target_worker.hpp"

namespace inotifysync {
namespace {

// Both halves of it, of which the second may come late (changes/intake.cpp).
constexpr Duration rename_is_told = std::chrono::milliseconds(100);

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  if (from.empty()) return;
  for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
}

template <class To>
To in(Duration duration) {
  return std::chrono::duration_cast<To>(duration);
}

}  // namespace

Outcome TargetWorker::judge(const RsyncRun& run, ChildExit how, const Step& step) const {
  std::string errors = run.errors();
  replace_all(errors, open_path_, options_.rsync.source);
  replace_all(errors, open_place_, target_.operand);
  Outcome outcome = judge_rsync(how.signalled, how.number, run.output(), errors, step);
  if (!run.kept_all_errors()) outcome.confirmed.clear();
  if (outcome.words.find("auth failed") != std::string::npos && !knows_password(options_.rsync, target_))
    outcome.words += "; no password file was given";
  if (run.hung()) {
    outcome.verdict = Verdict::retry;
    outcome.confirmed.clear();
    outcome.words = "no byte moved for " +
                    std::to_string(in<std::chrono::seconds>(options_.timeout).count()) +
                    " s: the run was ended";
  }
  const bool limited = options_.rsync.max_delete || options_.own_options || step.only_counts;
  if (outcome.verdict == Verdict::max_delete && !limited) outcome.verdict = Verdict::retry;  // what limit?
  if (const std::string_view why = run.kept_all_output() ? doubt_in(outcome, step) : ""; !why.empty()) {
    outcome.verdict = Verdict::silent;
    outcome.confirmed.clear();
    outcome.words = "rsync ended without an error, " + std::string(why) + ": is it rsync?";
  }
  return outcome;
}

// Why a run that ended well may have done nothing; empty: it did what it was to do.
std::string_view TargetWorker::doubt_in(const Outcome& outcome, const Step& step) const {
  if (outcome.verdict != Verdict::delivered) return "";
  if (!options_.own_options && !outcome.told_totals) return "and did not say that it is done";
  if (!outcome.names_nothing || !options_.names_all) return "";
  const bool is_there = std::any_of(step.entries.begin(), step.entries.end(), [&](const Step::Entry& entry) {
    return !entry.missing && host_.is_there(step.path(entry));
  });
  return is_there ? "and named nothing of what it was given" : "";
}

// What is missing in the source when rsync comes to it, it leaves as it is, and says that all is well. It may
// have been renamed, and the target be told to take it from its old place there: so what was written to it
// goes with that.
void TargetWorker::put_back_changed(const Step& step) {
  ChangeSet changed;
  for (const Step::Entry& entry : step.entries) {
    const bool was_written = !entry.missing && (entry.dirt & dirt::content) != 0;
    const bool has_vanished = was_written && host_.lstat(step.path(entry)).type == FileInfo::Type::missing;
    if (has_vanished) changed.mark(step.path(entry), entry.dirt);
  }
  mark_links_changed(step, changed);
  if (changed.empty()) return;
  views_.put_back(view_, std::move(changed));
  lack();
  pace_.rest(host_.timers().now() + rename_is_told);
}

// Of a file with several names rsync sends one; what that one has become since it was listed, another file
// say, the target has under all of them now.
void TargetWorker::mark_links_changed(const Step& step, ChangeSet& into) const {
  if (step.walks())
    for (const std::string& name : host_.have_lost_names(losses_before_)) into.mark(name, dirt::content);
  std::set<std::pair<std::uint64_t, std::uint64_t>> lost;
  std::vector<std::pair<std::string_view, std::pair<std::uint64_t, std::uint64_t>>> left;
  for (const Step::Link& link : step.links) {
    const std::string_view name = step.path(step.entries[link.entry]);
    const std::pair was(link.device, link.inode);
    const FileInfo info = host_.lstat(name);
    const bool is_same = info.type != FileInfo::Type::missing && std::pair(info.device, info.inode) == was;
    if (is_same)
      left.emplace_back(name, was);
    else
      lost.insert(was);
  }
  for (const auto& [name, file] : left)
    if (lost.contains(file)) into.mark(name, dirt::content);
}

}  // namespace inotifysync
