// SPDX-License-Identifier: GPL-2.0-or-later
#include "inotifysync/config/rules.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <iterator>

namespace inotifysync {
namespace {

// --- Patterns ---

// The short names of rsync's other rules: one letter, perhaps modifiers, then a space or an underscore.
bool is_short_rule(std::string_view pattern) {
  constexpr std::string_view kinds = "PRHS.:", modifiers = ",/!Csrpxewn+-";
  if (pattern.empty() || kinds.find(pattern.front()) == std::string_view::npos) return false;
  const std::size_t end = pattern.find_first_not_of(modifiers, 1);
  return end != std::string_view::npos && pattern[end] == ' ' && end + 1 < pattern.size();
}

bool is_long_rule(std::string_view pattern) {
  static constexpr std::string_view kinds[] = {"protect ", "risk ",      "hide ",    "show ",
                                               "merge ",   "dir-merge ", "include ", "exclude "};
  return std::any_of(std::begin(kinds), std::end(kinds),
                     [&](std::string_view kind) { return pattern.starts_with(kind); });
}

// --- Options ---

constexpr std::string_view short_with_value = "efBMT@";
constexpr std::string_view short_idle = "nV";

// Long options by which nothing is brought over; those with a value have it behind '='.
constexpr std::string_view long_idle[] = {"--dry-run",          "--list-only",  "--help",      "--version",
                                          "--only-write-batch", "--read-batch", "--daemon",    "--server",
                                          "--sender",           "--info=help",  "--debug=help"};

// Options by which files are not where they should be, and taken for delivered: --append leaves alone what is
// shorter at the other end or not there at all, --existing and --ignore-existing what is new or old there,
// --compare-dest what a third place has, --remove-source-files takes the source away, --relative brings
// everything below the path that we name the source by, and the last two are about the list that we give.
constexpr std::string_view long_harmful[] = {
    "--append",       "--append-verify",       "--existing", "--ignore-non-existing", "--ignore-existing",
    "--compare-dest", "--remove-source-files", "--relative", "--remove-sent-files",   "--files-from",
    "--no-from0"};
constexpr std::string_view short_harmful = "R";

bool is_harmful(std::string_view option) {
  if (option.size() == 2) return short_harmful.find(option.back()) != std::string_view::npos;
  return std::find(std::begin(long_harmful), std::end(long_harmful), option) != std::end(long_harmful);
}

// Long options whose value may be the next argument, which is then no option whatever it looks like.
constexpr std::string_view long_with_value[] = {"address",
                                                "backup-dir",
                                                "block-size",
                                                "bwlimit",
                                                "cc",
                                                "checksum-choice",
                                                "checksum-seed",
                                                "chmod",
                                                "chown",
                                                "compare-dest",
                                                "compress-choice",
                                                "compress-level",
                                                "compress-threads",
                                                "confine-root",
                                                "config",
                                                "contimeout",
                                                "copy-as",
                                                "copy-dest",
                                                "debug",
                                                "early-input",
                                                "exclude",
                                                "exclude-from",
                                                "files-from",
                                                "filter",
                                                "groupmap",
                                                "iconv",
                                                "include",
                                                "include-from",
                                                "info",
                                                "link-dest",
                                                "log-file",
                                                "log-file-format",
                                                "log-format",
                                                "max-alloc",
                                                "max-delete",
                                                "max-size",
                                                "min-size",
                                                "modify-window",
                                                "out-format",
                                                "outbuf",
                                                "partial-dir",
                                                "password-file",
                                                "port",
                                                "protocol",
                                                "remote-option",
                                                "rsh",
                                                "rsync-path",
                                                "skip-compress",
                                                "sockopts",
                                                "stderr",
                                                "stop-after",
                                                "stop-at",
                                                "suffix",
                                                "temp-dir",
                                                "time-limit",
                                                "timeout",
                                                "usermap",
                                                "write-batch",
                                                "zc",
                                                "zl"};

bool takes_next(std::string_view long_option) {
  return std::find(std::begin(long_with_value), std::end(long_with_value), long_option.substr(2)) !=
         std::end(long_with_value);
}

// What of `text`, from its '=' on, is the value.
std::string_view behind(std::string_view text, std::size_t name_length) {
  text.remove_prefix(std::min(name_length, text.size()));
  if (!text.empty() && text.front() == '=') text.remove_prefix(1);
  return text;
}

class OptionReader {
 public:
  explicit OptionReader(const std::vector<std::string>& options, bool is_remote = false)
      : options_(options), is_remote_(is_remote) {}

  // The first option by which rsync would do nothing, or harm, as people know it; empty: none.
  std::string faulty() {
    while (next_ < options_.size()) {
      const std::string_view option = options_[next_++];
      std::string found;
      if (option.starts_with("--"))
        found = long_option(option);
      else if (option.size() > 1 && option.front() == '-')
        found = bundle(option);
      if (!found.empty()) return found;
    }
    return {};
  }
  std::size_t seen() const { return next_; }
  // The last one takes a value, and would take what we say behind it.
  bool lacks_value() const { return lacks_value_; }

 private:
  std::string_view take_next() {
    lacks_value_ = next_ == options_.size();
    return lacks_value_ ? std::string_view() : std::string_view(options_[next_++]);
  }

  // What the other side is told is read in the same way, but it tells nobody else.
  std::string remote(std::string_view option) const {
    return is_remote_ ? std::string() : OptionReader({std::string(option)}, true).faulty();
  }

  std::string long_option(std::string_view option) {
    const std::string_view name = option.substr(0, option.find('='));
    std::string whole(option);
    if (takes_next(option)) {
      const std::string_view value = take_next();
      if (option == "--remote-option") return remote(value);
      whole.append("=").append(value);
    } else if (name == "--remote-option") {
      return remote(behind(option, name.size()));
    }
    for (const std::string_view idle : long_idle)
      if (idle == name || idle == whole) return std::string(idle);
    return is_harmful(name) ? std::string(name) : std::string();
  }

  std::string bundle(std::string_view option) {
    for (std::size_t at = 1; at < option.size(); ++at) {
      const char letter = option[at];
      const bool harmful = !is_remote_ && short_harmful.find(letter) != std::string_view::npos;
      if (harmful || short_idle.find(letter) != std::string_view::npos) return std::string("-") + letter;
      if (short_with_value.find(letter) == std::string_view::npos) continue;
      const std::string_view rest = option.substr(at + 1);
      const std::string_view value = rest.empty() ? take_next() : behind(rest, 0);
      return letter == 'M' ? remote(value) : std::string();
    }
    return {};
  }

  std::vector<std::string> options_;
  bool is_remote_;
  bool lacks_value_ = false;
  std::size_t next_ = 0;
};

// What is written into one name at the target shows under the others that it still has, though here they may
// be files of their own by now.
bool writes_through_links(const std::vector<std::string>& options) {
  const auto has = [&](std::string_view option) {
    return std::find(options.begin(), options.end(), option) != options.end();
  };
  return has("--inplace") && !has("--no-hard-links") && !has("--no-H");
}

}  // namespace

std::string filter_rule_fault(std::string_view rule) {
  if ((rule.starts_with("+ ") || rule.starts_with("- ")) && rule.size() > 2) return {};
  return "'" + std::string(rule) + "': a rule must begin with \"+ \" or \"- \"";
}

std::string pattern_fault(std::string_view pattern) {
  if (!is_short_rule(pattern) && !is_long_rule(pattern)) return {};
  const std::string text(pattern);
  return "'" + text +
         "' looks like a filter rule, and only patterns are taken; for a name that begins so write '[" +
         text.substr(0, 1) + "]" + text.substr(1) + "'";
}

std::string pattern_lines_fault(std::string_view text) {
  for (std::size_t number = 1; !text.empty(); ++number) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    const std::string fault = pattern_fault(line);
    if (!fault.empty()) return "line " + std::to_string(number) + ": " + fault;
  }
  return {};
}

std::string rsync_options_fault(const std::vector<std::string>& options) {
  OptionReader reader(options);
  const std::string faulty = reader.faulty();
  if (faulty.empty() && writes_through_links(options))
    return "'--inplace': it writes through what were hard links; it needs '--no-hard-links', too";
  if (faulty.empty() && reader.lacks_value()) return "'" + options.back() + "': it needs a value";
  if (faulty.empty()) return {};
  const std::string& written = options[reader.seen() - 1];
  const char* const what = is_harmful(faulty) ? " the targets would not become the same as the source"
                                              : " rsync would bring nothing over";
  return "'" + written + "': with " + faulty + what;
}

}  // namespace inotifysync
