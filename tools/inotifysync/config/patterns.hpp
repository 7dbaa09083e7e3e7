// SPDX-License-Identifier: GPL-2.0-or-later
// rsync's exclude and include patterns, one matcher for what is watched, what is queued and what rsync is
// told.
//
// A pattern that starts with '/' is anchored at the source; one with another '/' in it, or with "**", is
// matched against the end of the whole path, any other one against the last name. '*' stops at '/', "**" does
// not, '?' is any byte but '/', [..] a class; a final '/' matches directories only; "dir/***" means the
// directory and all below. The first pattern that matches decides; no match: included. What lies below an
// excluded directory is excluded.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "notify_core/error.hpp"

namespace inotifysync {

struct Pattern {
  bool include = false;
  bool anchored = false;
  bool directory_only = false;
  bool whole_path = false;  // matched against the path, not the last name
  bool wild = false;        // has any of *?[
  bool deep = false;        // has "**"
  bool all_below = false;   // ends in "***": a directory is matched with a '/' behind it
  std::string text;         // without the marks above
};

class PatternList {
 public:
  // In order. Error: detail says what is wrong with which pattern.
  void exclude(std::string_view pattern) { add(pattern, false); }
  void include(std::string_view pattern) { add(pattern, true); }
  // The lines of an --exclude-from or --include-from file: blank ones and those that start with ';' or '#'
  // are skipped, "+ " and "- " in front choose, '!' alone forgets all before.
  void add_lines(std::string_view text, bool include);

  bool empty() const { return patterns_.empty(); }
  // The same patterns as rsync's own options, in order.
  std::vector<std::string> rsync_options() const;

  // What the patterns mean to an rsync that starts at the directory `base` of the source, where nothing above
  // or at `base` is excluded; nothing where that cannot be said.
  std::optional<PatternList> below(std::string_view base) const;

  // True where `path` (relative to the source) itself is excluded, its parents not looked at.
  bool excludes(std::string_view path, bool directory) const;
  // True where `path` or a directory above it is excluded.
  bool hides(std::string_view path, bool directory) const;

 private:
  void add(std::string_view pattern, bool include);
  std::vector<Pattern> patterns_;
  std::vector<std::string> options_;
};

// rsync's wildcards: `text` matches `pattern` as a whole.
bool wildcard_match(std::string_view pattern, std::string_view text);

}  // namespace inotifysync
