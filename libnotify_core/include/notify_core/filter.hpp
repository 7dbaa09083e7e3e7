// SPDX-License-Identifier: GPL-2.0-or-later
// Which paths are shown: POSIX extended regular expressions (regex(7)), matched unanchored against the path
// as it is printed (%w%f), or globs, matched against whole components of it; byte by byte in the C locale.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "notify_core/error.hpp"
#include "notify_core/export.hpp"

namespace notify_core {

// One thread at a time may use a Filter: it keeps room for the path it looks at.
class NOTIFY_API Filter {
 public:
  enum class Shows { matching, not_matching };

  // The default filter shows everything.
  Filter();
  struct Pattern {
    std::string text;
    Shows shows = Shows::not_matching;
    bool ignore_case = false;
    // "*.o", "build", "src/**/gen": '*' and '?' stop at a '/', "**" does not, "[a-z]" is one of these, '\\'
    // takes the next character as it is. It matches any components of the path, and so everything below what
    // it names.
    bool glob = false;
  };
  // What one pattern hides is hidden; where there are patterns of what is shown, one of them must match.
  static Result<Filter> create(const std::vector<Pattern>& patterns);
  // Error: call "regcomp", path the pattern, detail the words of regerror(3).
  static Result<Filter> create(std::string_view pattern, Shows shows, bool ignore_case);

  // Is the path `watched` followed by `name` shown?
  bool shows(std::string_view watched, std::string_view name) const;

  // True where no path below `directory` (ending in '/') can be shown, whatever the directories above it come
  // to be called, so that it need not be watched: a pattern without anchors that matches its last component.
  bool hides_all_below(std::string_view directory) const;

  Filter(Filter&&) noexcept;
  Filter& operator=(Filter&&) noexcept;
  ~Filter();

 private:
  class NOTIFY_LOCAL Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace notify_core
