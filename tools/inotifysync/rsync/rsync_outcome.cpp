// SPDX-License-Identifier: GPL-2.0-or-later
#include "inotifysync/rsync/rsync_outcome.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <set>
#include <utility>

#include "inotifysync/changes/path_names.hpp"
#include "inotifysync/rsync/broken_run.hpp"
#include "inotifysync/rsync/listed_paths.hpp"
#include "inotifysync/rsync/words.hpp"

namespace inotifysync {
namespace {

constexpr std::size_t itemize_width = 11;
// Said on stdout by a run with --delete, whose directories are named as if they were done.
constexpr std::string_view deletes_nothing = "IO error encountered -- skipping file deletion";

// On stderr are also the words of ssh, of the other side's shell and of all that its start-up files run: of a
// locale that cannot be set, say. A run that ended well failed at nothing but what rsync itself says; of
// another one rsync's words are too many to know them all, and only what cannot be one of them is left out.
bool may_be_rsyncs(std::string_view line, bool ended_well) {
  if (ended_well)
    return starts_any(line, {"rsync", "ERROR", "@ERROR", "IO error", "cannot ", "could not ", "file",
                             "symlink", "Unable to create partial-dir"});
  return !starts_any(line,
                     {"bash: ", "-bash: ", "sh: ", "zsh: ", "perl: ", "ssh: ", "Warning: Permanently added"});
}

// A name as rsync prints it: a directory has a slash behind it.
std::string clean_name(std::string_view printed) {
  std::string name = unescape_name(printed);
  while (name.size() > 1 && name.back() == '/') name.pop_back();
  return name;
}

// What a path that rsync failed at may stand for: itself, or the file that is to come of a temporary one.
// NAME and .NAME are both written as .NAME.XXXXXX before that is renamed. Of a long name of letters beyond
// ASCII nothing is left but .XXXXXX; then it ends here with the slash before it.
std::vector<std::string> meanings(std::string path) {
  std::vector<std::string> all;
  const std::size_t name = path.rfind('/') + 1;
  const std::size_t dot = path.rfind('.');
  if (path[name] == '.' && dot >= name && path.size() - dot == 7) {
    all.push_back(path.substr(0, dot));
    if (dot > name) all.push_back(path.substr(0, name) + path.substr(name + 1, dot - name - 1));
  }
  all.push_back(std::move(path));
  return all;
}

// What may be the path in a line: all texts from the first quote to another one, for a name may have quotes,
// too.
std::vector<std::string> quoted_parts(std::string_view line) {
  std::vector<std::string> parts;
  const std::size_t open = line.find('"');
  if (open == std::string_view::npos) return parts;
  for (auto close = line.find('"', open + 1); close != std::string_view::npos;
       close = line.find('"', close + 1))
    if (close > open + 1) parts.push_back(unescape_name(line.substr(open + 1, close - open - 1)));
  return parts;
}

constexpr std::size_t few_dozen = 64;

class Reader {
 public:
  // `well`: by its exit status.
  Reader(std::string_view output, std::string_view errors, const Step& step, bool well)
      : step_(step), paths_(step), seen_(step.entries.size()), failed_(step.entries.size()) {
    for (const Step::Owed& owed : step.owed)
      if ((owed.dirt & dirt::gone) != 0) owed_gone_.emplace(owed.path);
    for_each_line(output, [this](std::string_view line) { read_output(line); });
    for_each_line(errors, [this, well](std::string_view line) { read_error(line, well && told_totals); });
  }

  // `strict`: only what was seen passing.
  std::vector<bool> confirmed(bool strict) const {
    std::vector<bool> result(failed_.size());
    for (std::size_t i = 0; i < result.size(); ++i)
      result[i] = !unplaced_ && !failed_[i] && (seen_[i] || !strict) && !came_back_.contains(i);
    return result;
  }

  const std::vector<bool>& named() const { return failed_; }

  // Every name on a list is told of, be it changed or not, unless it is missing.
  bool names_nothing() const {
    const bool any_seen = std::find(seen_.begin(), seen_.end(), true) != seen_.end();
    return !any_seen && std::any_of(step_.entries.begin(), step_.entries.end(),
                                    [](const Step::Entry& entry) { return !entry.missing; });
  }

  std::size_t failed() const {
    return static_cast<std::size_t>(std::count(failed_.begin(), failed_.end(), true)) + (unplaced_ ? 1 : 0);
  }

  std::uint64_t files = 0, deleted = 0, bytes = 0;
  bool delete_limit = false, made_anew = false, told_totals = false;
  std::vector<Outcome::Sent> first_sent;

  // A directory was to be deleted, but when rsync looked there was one again: of what the target has in it,
  // nothing was deleted.
  bool any_came_back() const { return any_came_back_; }

 private:
  void read_output(std::string_view line) {
    constexpr std::string_view in_the_way = "cannot delete non-empty directory: ";
    if (starts(line, in_the_way)) return fail({clean_name(line.substr(in_the_way.size()))});
    if (starts(line, deletes_nothing)) unplaced_ = true;
    if (starts(line, "total size is ")) told_totals = true;
    if (step_.kind == StepKind::move_file && !step_.make_parents && starts(line, "created director"))
      made_anew = true;
    if (starts(line, "*deleting")) return read_item(line, true);
    if (line.size() > itemize_width + 1 && has("<>ch.", line.substr(0, 1)) &&
        has("fdLDS", line.substr(1, 1)) && line[itemize_width] == ' ') {
      read_item(line, false);
    }
  }

  void read_item(std::string_view line, bool deletion) {
    if (line.size() <= itemize_width + 1) return;
    const std::string_view rest = line.substr(itemize_width + 1);
    std::uint64_t sent = 0;
    const auto [end, problem] = std::from_chars(rest.data(), rest.data() + rest.size(), sent);
    if (problem != std::errc{} || end == rest.data() + rest.size() || *end != ' ') return;
    bytes += sent;
    if (deletion) {
      ++deleted;
    } else if (line[0] != '.' && line[1] != 'd') {
      ++files;
    }
    const std::string name = clean_name(rest.substr(static_cast<std::size_t>(end - rest.data()) + 1));
    const std::size_t at = paths_.find(name);
    if (step_.kind == StepKind::full && has("<>", line.substr(0, 1)) && line[1] == 'f' &&
        first_sent.size() < few_dozen)
      first_sent.push_back({name, starts(line.substr(2), "..t......")});
    made_anew = made_anew ||
                (is_made(line) && (at == ListedPaths::npos ? line[1] == 'd' : step_.entries[at].expected));
    if (at != ListedPaths::npos) seen_[at] = true;
    if (deletion || line[1] != 'd') return;
    const bool was_missing = at != ListedPaths::npos && step_.entries[at].missing;
    if (was_missing) came_back_.insert(at);
    any_came_back_ = any_came_back_ || was_missing || owed_gone_.contains(name);
  }

  static bool is_made(std::string_view line) { return starts(line.substr(2), "+++++++++"); }

  void read_error(std::string_view line, bool ended_well) {
    if (has(line, "--max-delete limit")) delete_limit = true;
    if (!may_be_rsyncs(line, ended_well)) return;
    if (starts_any(line, {"rsync error:", "rsync warning:"})) return;
    constexpr std::string_view orphan = "WARNING: parent dir is absent in the file list: ";
    if (starts_any(line, {orphan, "*** "})) return;  // the line before said it already
    if (const auto paths = quoted_parts(line); !paths.empty()) return fail(paths);
    if (has_any(line, {"failed", "IO error", "cannot", "too long", "overflows", "error", "discarding"}))
      unplaced_ = true;
  }

  // One of the paths is the source's or the target's; which part of it is ours is found out by trying,
  // longest first.
  void fail(const std::vector<std::string>& paths) {
    bool any = false;
    for (const std::string& path : paths)
      for (const std::string& meant : meanings(path)) any = touch_tail(meant) || any;
    if (any) return;
    other_failures_ = true;
    if (step_.kind != StepKind::exact && step_.kind != StepKind::attributes) unplaced_ = true;
  }

  bool touch_tail(std::string_view tail) {
    const auto touch = [this](std::string_view path) {
      return paths_.touch(path, [this](std::size_t i) { failed_[i] = true; });
    };
    const bool may_be_at_top = tail.empty() || tail.back() == '/';
    while (!tail.empty()) {
      while (!tail.empty() && tail.front() == '/') tail.remove_prefix(1);
      if (!tail.empty() && touch(tail)) return true;
      const std::size_t slash = tail.find('/');
      tail.remove_prefix(slash == std::string_view::npos ? tail.size() : slash);
    }
    return may_be_at_top && touch("");
  }

 public:
  bool other_failures() const { return other_failures_ || unplaced_; }

 private:
  const Step& step_;
  ListedPaths paths_;
  std::vector<bool> seen_, failed_;
  std::set<std::string> owed_gone_;
  std::set<std::size_t> came_back_;
  bool any_came_back_ = false;
  bool unplaced_ = false;        // trouble that names no path: nothing is certain
  bool other_failures_ = false;  // trouble with a path that is not listed: a parent directory, say
};

// A whole tree that was begun on swallows what is told of it from now on; some of that is there already.
Dirt begun(Dirt dirt) {
  constexpr Dirt whole_and_new = dirt::created | dirt::subtree;
  return (dirt & whole_and_new) == whole_and_new ? static_cast<Dirt>(dirt | dirt::doubtful) : dirt;
}

}  // namespace

std::string unescape_name(std::string_view printed) {
  std::string name;
  for (std::size_t i = 0; i < printed.size(); ++i) {
    const std::string_view digits = printed.substr(std::min(i + 2, printed.size()), 3);
    const bool escaped =
        printed[i] == '\\' && printed.substr(i + 1, 1) == "#" && digits.size() == 3 &&
        std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '7'; });
    if (!escaped) {
      name += printed[i];
      continue;
    }
    name += static_cast<char>((digits[0] - '0') * 64 + (digits[1] - '0') * 8 + (digits[2] - '0'));
    i += 4;
  }
  return name;
}

Outcome judge_rsync(bool signalled, int code, std::string_view output, std::string_view errors,
                    const Step& step) {
  Outcome outcome;
  const Reader reader(output, errors, step, !signalled && code == 0);
  outcome.files = reader.files;
  outcome.deleted = reader.deleted;
  outcome.sent_bytes = reader.bytes;
  outcome.made_anew = reader.made_anew && (step.kind == StepKind::exact || step.kind == StepKind::move_file);
  outcome.reached = code != 10 || !has_any(errors, {"failed to connect", "getaddrinfo"});
  const bool ended = !signalled && (code == 0 || code == 23 || code == 24 || code == 25);
  if (ended) {
    // One that does not say it is done may have ended anywhere. And of hard links rsync sends one name; where
    // that fails, or vanished, it says nothing of the others.
    const bool strict = code != 0 || reader.delete_limit || !reader.told_totals;
    outcome.confirmed = reader.confirmed(strict);
    outcome.failed = reader.failed();
  }
  outcome.told_totals = reader.told_totals;
  outcome.first_sent = reader.first_sent;
  outcome.names_nothing = !signalled && code == 0 && step.reads_list() && reader.names_nothing();
  const bool all_well = outcome.failed == 0 && !reader.any_came_back();
  const bool all_seen =
      std::find(outcome.confirmed.begin(), outcome.confirmed.end(), false) == outcome.confirmed.end();
  if (ended && (code == 25 || reader.delete_limit)) {
    outcome.verdict = Verdict::max_delete;
  } else if (ended && all_well && (code == 0 || (code == 24 && all_seen && !reader.other_failures()))) {
    outcome.verdict = Verdict::delivered;
    return outcome;
  } else if (ended) {
    outcome.verdict = Verdict::partial;
  } else if (!signalled && has_no_place(code, errors, step)) {
    outcome.verdict = Verdict::partial;  // what comes after it makes the place
    outcome.failed = 1;
  } else {
    outcome.verdict = signalled ? Verdict::retry : breaking_verdict(code, errors, step);
    outcome.named = reader.named();
  }
  outcome.words = telling_words(output, errors, signalled, code);
  return outcome;
}

void put_back(const Step& step, const Outcome& outcome, ChangeSet& into) {
  if (outcome.verdict == Verdict::delivered) return;
  for (std::size_t i = 0; i < step.entries.size(); ++i) {
    if (i < outcome.confirmed.size() && outcome.confirmed[i]) continue;
    const std::string_view path = step.path(step.entries[i]);
    into.mark(path, begun(step.entries[i].dirt));
    // By its name alone, nobody makes it writable first: an ordinary user's rsync deletes what is in a
    // directory of mode 0555 only where it looks at the one above.
    if (step.entries[i].missing && outcome.verdict == Verdict::partial)
      into.mark(parent_of(path), dirt::stray);
  }
  for (const Step::Owed& owed : step.owed) into.mark(owed.path, begun(owed.dirt));
}

bool put_back_apart(const Step& step, const Outcome& outcome, ChangeSet& aside, ChangeSet& rest) {
  std::optional<std::uint64_t> too_large;
  for (std::size_t i = 0; i < outcome.named.size(); ++i)
    if (outcome.named[i])
      too_large = std::min(too_large.value_or(step.entries[i].size), step.entries[i].size);
  if (!too_large) return false;
  Outcome apart;
  for (std::size_t i = 0; i < step.entries.size(); ++i)
    apart.confirmed.push_back(outcome.named[i] || (*too_large > 0 && step.entries[i].size >= *too_large));
  put_back(step, apart, rest);
  apart.confirmed.flip();
  put_back(step, apart, aside);
  return true;
}

}  // namespace inotifysync
