// SPDX-License-Identifier: GPL-2.0-or-later
#include "text/glob.hpp"

namespace notify_core::text {
namespace {

void append_literal(std::string& regex, char c) {
  constexpr std::string_view special = ".[]{}()*+?^$|\\";
  if (special.find(c) != std::string_view::npos) regex += '\\';
  regex += c;
}

// The length of the bracket expression that `glob` begins with: "]" may come first in it, after "!" or "^".
std::size_t bracket_size(std::string_view glob) {
  std::size_t first = 1;
  if (first < glob.size() && (glob[first] == '!' || glob[first] == '^')) ++first;
  const std::size_t end = glob.find(']', first + 1);
  return end == std::string_view::npos ? glob.size() : end + 1;
}

// A '/' is none of the characters that "not these" may be.
void append_bracket(std::string& regex, std::string_view bracket) {
  const bool negated = bracket.size() > 1 && (bracket[1] == '!' || bracket[1] == '^');
  regex += negated ? "[^" : "[";
  std::string_view members = bracket.substr(negated ? 2 : 1);
  if (negated && members.starts_with(']')) {
    regex += ']';
    members.remove_prefix(1);
  }
  if (negated && !members.empty()) regex += '/';
  regex += members;
}

}  // namespace

std::string glob_to_regex(std::string_view glob) {
  std::string regex = "(^|/)(";
  // Of a directory, as people write it.
  while (glob.size() > 1 && glob.ends_with('/') && glob[glob.size() - 2] != '\\') glob.remove_suffix(1);
  while (!glob.empty()) {
    std::size_t size = 1;
    if (glob.starts_with("**/")) {
      regex += "(.*/)?";
      size = 3;
    } else if (glob.starts_with("**")) {
      regex += ".*";
      size = 2;
    } else if (glob.front() == '*') {
      regex += "[^/]*";
    } else if (glob.front() == '?') {
      regex += "[^/]";
    } else if (glob.front() == '[') {
      size = bracket_size(glob);
      append_bracket(regex, glob.substr(0, size));
    } else if (glob.front() == '\\' && glob.size() > 1) {
      append_literal(regex, glob[1]);
      size = 2;
    } else {
      append_literal(regex, glob.front());
    }
    glob.remove_prefix(size);
  }
  return regex + ")(/|$)";
}

}  // namespace notify_core::text
