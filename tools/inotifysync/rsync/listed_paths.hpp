// SPDX-License-Identifier: GPL-2.0-or-later
// The paths of a step, found by what rsync calls them. Pure.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <vector>

#include "inotifysync/changes/batch.hpp"

namespace inotifysync {

class ListedPaths {
 public:
  explicit ListedPaths(const Step& step) : step_(step) {
    order_.reserve(step.entries.size());
    for (std::size_t i = 0; i < step.entries.size(); ++i) order_.push_back(i);
    std::sort(order_.begin(), order_.end(), [this](auto a, auto b) { return path(a) < path(b); });
  }

  std::size_t find(std::string_view wanted) const {
    const auto at = lower(wanted);
    return at != order_.end() && path(*at) == wanted ? *at : npos;
  }

  // Calls `visit` for the path itself and those below it; for those above it too where they stand for a whole
  // tree. A long name is known by its beginning: no more of it fits into that of a temporary file.
  template <class Visit>
  bool touch(std::string_view wanted, Visit visit) const {
    bool any = false;
    for (auto at = lower(wanted); at != order_.end() && path(*at).starts_with(wanted); ++at) {
      const std::string_view rest = path(*at).substr(wanted.size());
      if (!rest.empty() && rest.front() != '/' && !ends_long_name(path(*at), rest)) continue;
      visit(*at);
      any = true;
    }
    if (step_.kind != StepKind::subtree) return any;
    for (std::size_t slash = wanted.find('/'); slash != npos; slash = wanted.find('/', slash + 1)) {
      const std::size_t above = find(wanted.substr(0, slash));
      if (above == npos) continue;
      visit(above);
      any = true;
    }
    return any;
  }

  static constexpr std::size_t npos = static_cast<std::size_t>(-1);

 private:
  static bool ends_long_name(std::string_view path, std::string_view rest) {
    constexpr std::size_t fits = 240;
    return rest.find('/') == npos && path.size() - (path.rfind('/') + 1) >= fits;
  }

  std::string_view path(std::size_t i) const { return step_.path(step_.entries[i]); }
  std::vector<std::size_t>::const_iterator lower(std::string_view wanted) const {
    return std::lower_bound(order_.begin(), order_.end(), wanted,
                            [this](std::size_t i, std::string_view value) { return path(i) < value; });
  }

  const Step& step_;
  std::vector<std::size_t> order_;
};

}  // namespace inotifysync
