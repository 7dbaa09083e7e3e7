// SPDX-License-Identifier: GPL-2.0-or-later
#include "inotifysync/config/patterns.hpp"

#include <algorithm>
#include <cctype>
#include <span>

namespace inotifysync {
namespace {

bool in_named_class(std::string_view name, unsigned char byte) {
  struct Named {
    std::string_view name;
    int (*holds)(int);
  };
  static constexpr Named classes[] = {
      {"alnum", isalnum}, {"alpha", isalpha}, {"blank", isblank}, {"cntrl", iscntrl},
      {"digit", isdigit}, {"graph", isgraph}, {"lower", islower}, {"print", isprint},
      {"punct", ispunct}, {"space", isspace}, {"upper", isupper}, {"xdigit", isxdigit},
  };
  for (const Named& one : classes) {
    if (one.name == name) return byte < 0x80 && one.holds(byte) != 0;
  }
  return false;
}

// The class that starts at pattern[at] == '['. Leaves `at` behind its ']'; false there is no end: nothing
// matches.
bool match_class(std::string_view pattern, std::size_t& at, unsigned char byte, bool& whole) {
  std::size_t i = at + 1;
  const bool negated = i < pattern.size() && (pattern[i] == '!' || pattern[i] == '^');
  if (negated) ++i;
  bool found = false;
  whole = false;
  for (bool first = true; i < pattern.size(); first = false) {
    if (pattern[i] == ']' && !first) {
      whole = true;
      break;
    }
    if (pattern.substr(i, 2) == "[:") {
      const std::size_t end = pattern.find(":]", i + 2);
      if (end != std::string_view::npos) {
        found = found || in_named_class(pattern.substr(i + 2, end - i - 2), byte);
        i = end + 2;
        continue;
      }
    }
    if (pattern[i] == '\\' && i + 1 < pattern.size()) ++i;
    const auto low = static_cast<unsigned char>(pattern[i++]);
    auto high = low;
    if (i + 1 < pattern.size() && pattern[i] == '-' && pattern[i + 1] != ']') {
      ++i;
      if (pattern[i] == '\\' && i + 1 < pattern.size()) ++i;
      high = static_cast<unsigned char>(pattern[i++]);
    }
    found = found || (byte >= low && byte <= high);
  }
  at = i + 1;
  return found != negated;
}

// One step of a pattern other than a star against one byte. Leaves `at` behind it.
bool match_one(std::string_view pattern, std::size_t& at, char byte) {
  switch (pattern[at]) {
    case '?':
      ++at;
      return byte != '/';
    case '[': {
      bool whole = false;
      const bool hit = match_class(pattern, at, static_cast<unsigned char>(byte), whole);
      return whole && hit && byte != '/';
    }
    case '\\':
      if (at + 1 < pattern.size()) ++at;
      [[fallthrough]];
    default:
      return pattern[at++] == byte;
  }
}

// Calls `test` with the path and every tail of it that begins at a name.
template <class Test>
bool any_tail(std::string_view path, Test test) {
  for (;;) {
    if (test(path)) return true;
    const std::size_t slash = path.find('/');
    if (slash == std::string_view::npos) return false;
    path.remove_prefix(slash + 1);
  }
}

std::string_view last_name(std::string_view path) {
  return path.substr(path.rfind('/') + 1);
}

bool text_matches(const Pattern& pattern, std::string_view text) {
  return pattern.wild ? wildcard_match(pattern.text, text) : pattern.text == text;
}

std::vector<std::string_view> names_of(std::string_view path) {
  std::vector<std::string_view> names;
  for (std::size_t at = 0; at <= path.size();) {
    const std::size_t end = std::min(path.find('/', at), path.size());
    names.push_back(path.substr(at, end - at));
    at = end + 1;
  }
  return names;
}

// Whether a pattern's first parts match all of `names`, with parts left over.
enum class Fit { yes, no, unknown };
Fit fit_start(std::span<const std::string_view> parts, std::span<const std::string_view> names) {
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i >= parts.size()) return Fit::no;
    if (parts[i].find("**") != std::string_view::npos || parts[i].find('[') != std::string_view::npos) {
      return Fit::unknown;  // may match a '/', or hold one
    }
    if (!wildcard_match(parts[i], names[i])) return Fit::no;
  }
  return parts.size() > names.size() ? Fit::yes : Fit::no;
}

bool matches(const Pattern& pattern, std::string_view path, bool directory) {
  if (pattern.directory_only && !directory) return false;
  if (!pattern.whole_path) return text_matches(pattern, last_name(path));
  std::string with_slash;
  if (pattern.all_below && directory) path = with_slash.append(path).append("/");
  if (pattern.anchored) return text_matches(pattern, path);
  if (pattern.text.compare(0, 2, "**") == 0) {
    return wildcard_match(pattern.text, std::string("/").append(path)) || wildcard_match(pattern.text, path);
  }
  if (pattern.deep) return any_tail(path, [&](std::string_view tail) { return text_matches(pattern, tail); });
  // As many names from the end as the pattern has.
  const auto slashes = [](std::string_view text) { return std::count(text.begin(), text.end(), '/'); };
  auto more = slashes(path) - slashes(pattern.text);
  if (more < 0) return false;
  for (; more > 0; --more) path.remove_prefix(path.find('/') + 1);
  return text_matches(pattern, path);
}

}  // namespace

bool wildcard_match(std::string_view pattern, std::string_view text) {
  constexpr std::size_t none = std::string_view::npos;
  std::size_t p = 0, t = 0;
  std::size_t star = none, star_text = 0;  // where to go on when the last '*' takes one byte more
  std::size_t deep = none, deep_text = 0;  // the same for the last "**"
  while (t < text.size() || p < pattern.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      std::size_t stars = 0;
      while (p < pattern.size() && pattern[p] == '*') ++p, ++stars;
      if (stars > 1) {
        deep = p, deep_text = t, star = none;
      } else {
        star = p, star_text = t;
      }
      continue;
    }
    if (p < pattern.size() && t < text.size() && match_one(pattern, p, text[t])) {
      ++t;
      continue;
    }
    if (star != none && star_text < text.size() && text[star_text] != '/') {
      p = star, t = ++star_text;
    } else if (deep != none && deep_text < text.size()) {
      p = deep, t = ++deep_text, star = none;
    } else {
      return false;
    }
  }
  return true;
}

void PatternList::add(std::string_view pattern, bool include) {
  if (pattern.empty()) return;
  options_.push_back((include ? "--include=" : "--exclude=") + std::string(pattern));
  if (pattern == "!") {
    patterns_.clear();
    return;
  }
  if (pattern.size() > 2 && (pattern[0] == '+' || pattern[0] == '-') && pattern[1] == ' ') {
    include = pattern[0] == '+';
    pattern.remove_prefix(2);
  }
  Pattern made;
  made.include = include;
  if (pattern.front() == '/') {
    made.anchored = true;
    pattern.remove_prefix(1);
  }
  if (!pattern.empty() && pattern.back() == '/') {
    made.directory_only = true;
    pattern.remove_suffix(1);
  }
  if (pattern.empty()) return;  // the source itself: nothing is asked about it
  made.text = pattern;
  made.wild = pattern.find_first_of("*?[") != std::string_view::npos;
  made.whole_path = made.anchored || pattern.find('/') != std::string_view::npos ||
                    pattern.find("**") != std::string_view::npos;
  made.deep = pattern.find("**") != std::string_view::npos;
  made.all_below = pattern.size() > 2 && pattern.substr(pattern.size() - 3) == "***";
  patterns_.push_back(std::move(made));
}

void PatternList::add_lines(std::string_view text, bool include) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    if (line.empty() || line.front() == '#' || line.front() == ';') continue;
    add(line, include);
  }
}

std::optional<PatternList> PatternList::below(std::string_view base) const {
  PatternList out;
  const std::vector<std::string_view> above = names_of(base);
  for (const Pattern& pattern : patterns_) {
    const std::string_view mark = pattern.directory_only ? "/" : "";
    if (!pattern.whole_path) {
      out.add(std::string(pattern.text).append(mark), pattern.include);
      continue;
    }
    const std::vector<std::string_view> parts = names_of(pattern.text);
    // A pattern without an anchor may begin anywhere in the base, or below it.
    for (std::size_t start = 0; start < (pattern.anchored ? 1 : above.size()); ++start) {
      const Fit fit = fit_start(parts, std::span(above).subspan(start));
      if (fit == Fit::unknown) return std::nullopt;
      if (fit == Fit::no) continue;
      std::string rest;
      for (std::size_t i = above.size() - start; i < parts.size(); ++i) rest.append("/").append(parts[i]);
      out.add(rest.append(mark), pattern.include);
    }
    if (pattern.anchored) continue;
    if (pattern.deep) return std::nullopt;
    out.add(std::string(pattern.text).append(mark), pattern.include);
  }
  return out;
}

std::vector<std::string> PatternList::rsync_options() const {
  return options_;
}

bool PatternList::excludes(std::string_view path, bool directory) const {
  for (const Pattern& pattern : patterns_) {
    if (matches(pattern, path, directory)) return !pattern.include;
  }
  return false;
}

bool PatternList::hides(std::string_view path, bool directory) const {
  if (patterns_.empty()) return false;
  for (std::size_t slash = path.find('/'); slash != std::string_view::npos;
       slash = path.find('/', slash + 1)) {
    if (excludes(path.substr(0, slash), true)) return true;
  }
  return excludes(path, directory);
}

}  // namespace inotifysync
