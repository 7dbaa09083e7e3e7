// SPDX-License-Identifier: GPL-2.0-or-later
#include "notify_core/filter.hpp"

#include <regex.h>

#include <array>
#include <utility>

namespace notify_core {
namespace {

// Whether a match can come to nothing when more text follows it. `$` and the word and buffer anchors of GNU
// look beyond the match; back references are left out with them. Escaped and bracketed ones are harmless, but
// telling them apart would gain little.
bool looks_beyond_match(std::string_view pattern) {
  if (pattern.find('$') != std::string_view::npos) return true;
  for (std::size_t i = pattern.find('\\'); i != std::string_view::npos; i = pattern.find('\\', i + 2)) {
    if (i + 1 >= pattern.size()) return true;
    constexpr std::string_view harmless = ".\\/-_~+*?()[]{}|^#@ ,:;=!%&\"wWsS";
    if (harmless.find(pattern[i + 1]) == std::string_view::npos) return true;
  }
  return false;
}

}  // namespace

class Filter::Impl {
 public:
  Impl(Shows shows, bool prunes) : shows_(shows), prunes_(prunes) {}
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() {
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

  bool shows(std::string_view watched, std::string_view name) {
    path_.assign(watched);
    path_ += name;
    const bool matches = ::regexec(&regex_, path_.c_str(), 0, nullptr, 0) == 0;
    return matches == (shows_ == Shows::matching);
  }

  bool prunes() const { return prunes_; }

 private:
  regex_t regex_{};
  bool compiled_ = false;
  Shows shows_;
  bool prunes_;       // a match with a directory is a match with all below it
  std::string path_;  // room for one path, kept from call to call
};

Filter::Filter() = default;
Filter::Filter(Filter&&) noexcept = default;
Filter& Filter::operator=(Filter&&) noexcept = default;
Filter::~Filter() = default;

Result<Filter> Filter::create(std::string_view pattern, Shows shows, bool ignore_case) {
  Filter filter;
  filter.impl_ = std::make_unique<Impl>(shows, shows == Shows::not_matching && !looks_beyond_match(pattern));
  const std::string text(pattern);
  const int status = filter.impl_->compile(text, ignore_case);
  if (status != 0) return Error{0, "regcomp", text, filter.impl_->words_for(status)};
  return filter;
}

bool Filter::shows(std::string_view watched, std::string_view name) const {
  return impl_ == nullptr || impl_->shows(watched, name);
}

bool Filter::hides_all_below(std::string_view directory) const {
  return impl_ != nullptr && impl_->prunes() && !impl_->shows(directory, {});
}

}  // namespace notify_core
