// SPDX-License-Identifier: GPL-2.0-or-later
#include "notify_core/filter.hpp"

#include <regex.h>

#include <algorithm>
#include <array>
#include <utility>

#include "text/glob.hpp"

namespace notify_core {
namespace {

// Whether a match depends on what stands before or after it: `^` (but for "[^"), `$`, and the word and buffer
// anchors of GNU; back references are left out with them. Escaped and bracketed ones are harmless, but
// telling them apart would gain little.
bool looks_around_match(std::string_view pattern) {
  if (pattern.find('$') != std::string_view::npos) return true;
  for (std::size_t i = pattern.find('^'); i != std::string_view::npos; i = pattern.find('^', i + 1)) {
    if (i == 0 || pattern[i - 1] != '[') return true;
  }
  for (std::size_t i = pattern.find('\\'); i != std::string_view::npos; i = pattern.find('\\', i + 2)) {
    if (i + 1 >= pattern.size()) return true;
    constexpr std::string_view harmless = ".\\/-_~+*?()[]{}|#@ ,:;=!%&\"wWsS";
    if (harmless.find(pattern[i + 1]) == std::string_view::npos) return true;
  }
  return false;
}

// "/c/" of "a/b/c/".
std::string_view last_component(std::string_view directory) {
  const std::size_t slash = directory.substr(0, directory.size() - 1).rfind('/');
  return slash == std::string_view::npos ? directory : directory.substr(slash);
}

class Regex {
 public:
  Regex() = default;
  Regex(const Regex&) = delete;
  Regex& operator=(const Regex&) = delete;
  ~Regex() {
    if (compiled_) ::regfree(&regex_);
  }

  // 0 or regcomp(3)'s error.
  int compile(const std::string& pattern, bool ignore_case) {
    const int flags = REG_EXTENDED | REG_NOSUB | (ignore_case ? REG_ICASE : 0);
    const int status = ::regcomp(&regex_, pattern.c_str(), flags);
    compiled_ = status == 0;
    return status;
  }

  std::string words_for(int status) const {
    std::array<char, 256> words{};
    ::regerror(status, &regex_, words.data(), words.size());
    return words.data();
  }

  bool matches(const std::string& path) const { return ::regexec(&regex_, path.c_str(), 0, nullptr, 0) == 0; }

 private:
  regex_t regex_{};
  bool compiled_ = false;
};

// A glob without a '/' matches single components, and these have a '/' or an end of the path at both ends: it
// never looks around its match.
bool match_holds(const Filter::Pattern& pattern) {
  if (!pattern.glob) return !looks_around_match(pattern.text);
  return pattern.text.find('/') == std::string::npos && pattern.text.find("**") == std::string::npos;
}

}  // namespace

class Filter::Impl {
 public:
  Result<void> add(const Pattern& pattern) {
    Rule rule{std::make_unique<Regex>(), match_holds(pattern)};
    const std::string text = pattern.glob ? text::glob_to_regex(pattern.text) : pattern.text;
    const int status = rule.regex->compile(text, pattern.ignore_case);
    if (status != 0) return Error{0, "regcomp", pattern.text, rule.regex->words_for(status)};
    (pattern.shows == Shows::matching ? including_ : excluding_).push_back(std::move(rule));
    return {};
  }

  [[gnu::noinline]] bool shows(std::string_view watched, std::string_view name) {
    path_.assign(watched);
    path_ += name;
    const auto matches = [this](const Rule& rule) { return rule.regex->matches(path_); };
    if (std::ranges::any_of(excluding_, matches)) return false;
    return including_.empty() || std::ranges::any_of(including_, matches);
  }

  // The last component alone must match: then the directories above may be renamed.
  bool hides_all_below(std::string_view directory) {
    path_.assign(last_component(directory));
    return std::ranges::any_of(excluding_,
                               [this](const Rule& rule) { return rule.holds && rule.regex->matches(path_); });
  }

 private:
  struct Rule {
    std::unique_ptr<Regex> regex;  // a compiled expression may not move
    bool holds;  // a match with a part of a path is a match with every path that has this part
  };

  std::vector<Rule> excluding_;
  std::vector<Rule> including_;
  std::string path_;  // room for one path, kept from call to call
};

Filter::Filter() = default;
Filter::Filter(Filter&&) noexcept = default;
Filter& Filter::operator=(Filter&&) noexcept = default;
Filter::~Filter() = default;

Result<Filter> Filter::create(const std::vector<Pattern>& patterns) {
  Filter filter;
  if (!patterns.empty()) filter.impl_ = std::make_unique<Impl>();
  for (const Pattern& pattern : patterns) {
    Result<void> added = filter.impl_->add(pattern);
    if (!added) return std::move(added).error();
  }
  return filter;
}

Result<Filter> Filter::create(std::string_view pattern, Shows shows, bool ignore_case) {
  return create({Pattern{std::string(pattern), shows, ignore_case, false}});
}

[[gnu::hot]] bool Filter::shows(std::string_view watched, std::string_view name) const {
  return impl_ == nullptr || impl_->shows(watched, name);
}

bool Filter::hides_all_below(std::string_view directory) const {
  return impl_ != nullptr && impl_->hides_all_below(directory);
}

}  // namespace notify_core
