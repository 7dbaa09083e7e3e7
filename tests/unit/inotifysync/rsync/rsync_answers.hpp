// SPDX-License-Identifier: GPL-2.0-or-later
// For the tests of what rsync answers.
#pragma once

#include <initializer_list>
#include <string>

#include "inotifysync/rsync/rsync_outcome.hpp"

namespace rsync_answers {

using namespace inotifysync;

inline Step list_of(std::initializer_list<const char*> paths, StepKind kind = StepKind::exact) {
  Step step;
  step.kind = kind;
  for (const char* path : paths) {
    step.names += '/';
    Step::Entry entry;
    entry.offset = static_cast<std::uint32_t>(step.names.size());
    entry.length = static_cast<std::uint32_t>(std::char_traits<char>::length(path));
    entry.dirt = dirt::content;
    (step.names += path) += '\0';
    step.entries.push_back(entry);
  }
  return step;
}

// The paths that go back into the set.
inline std::string left(const Step& step, const Outcome& outcome) {
  ChangeSet set;
  put_back(step, outcome, set);
  std::string out;
  set.for_each(
      [&](std::string_view path, Dirt, std::string_view) { (out += out.empty() ? "" : " ") += path; });
  return out;
}

inline Verdict verdict(int code, std::string_view errors) {
  return judge_rsync(false, code, "", errors, list_of({"a"})).verdict;
}

}  // namespace rsync_answers
