// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/command_line.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <memory>

namespace notify_tools {
namespace {

// Puts arguments in getopt's order: options as plain "--name" and value tokens, operands apart.
class Reader {
 public:
  Reader(std::span<const OptionSpec> specs, std::span<const char* const> arguments, bool posixly_correct)
      : specs_(specs), arguments_(arguments), posixly_correct_(posixly_correct) {}

  void read() {
    while (error.empty() && !at_end()) {
      const std::string_view argument = take();
      if (argument == "--") return take_operands();
      if (argument.size() < 2 || argument[0] != '-') {
        operands.emplace_back(argument);
        if (posixly_correct_) return take_operands();
      } else if (argument[1] == '-') {
        read_long(argument.substr(2));
      } else {
        read_letters(argument.substr(1));
      }
    }
  }

  std::vector<std::string> tokens;
  std::vector<std::string> operands;
  std::string error;

 private:
  bool at_end() const { return next_ >= arguments_.size(); }
  std::string_view take() { return arguments_[next_++]; }

  void take_operands() {
    while (!at_end()) operands.emplace_back(take());
  }

  template <class... Words>
  void fail(fmt::format_string<Words...> format, Words&&... words) {
    error = arguments_.empty() ? std::string() : std::string(arguments_[0]);
    error += ": ";
    fmt::format_to(std::back_inserter(error), format, std::forward<Words>(words)...);
  }

  void accept(const OptionSpec& spec) { tokens.push_back(fmt::format("--{}", spec.name)); }
  void accept(const OptionSpec& spec, std::string_view value) {
    accept(spec);
    tokens.emplace_back(value);
  }

  std::vector<const OptionSpec*> beginning_with(std::string_view prefix, bool added) const {
    std::vector<const OptionSpec*> found;
    for (const OptionSpec& spec : specs_) {
      if (spec.added == added && spec.name.starts_with(prefix)) found.push_back(&spec);
    }
    return found;
  }

  // The option that `name` means, or nothing after fail(). `text` is the argument as written, without its
  // dashes.
  const OptionSpec* find_long(std::string_view name, std::string_view text) {
    const auto exact = std::ranges::find(specs_, name, &OptionSpec::name);
    if (exact != specs_.end()) return &*exact;
    auto found = beginning_with(name, false);
    if (found.empty()) found = beginning_with(name, true);
    if (found.size() == 1) return found.front();
    if (found.empty()) {
      fail("unrecognized option '--{}'", text);
      return nullptr;
    }
    std::string candidates;
    for (const OptionSpec* spec : found) candidates += fmt::format(" '--{}'", spec->name);
    fail("option '--{}' is ambiguous; possibilities:{}", text, candidates);
    return nullptr;
  }

  void read_long(std::string_view text) {
    const std::size_t equals = text.find('=');
    const OptionSpec* spec = find_long(text.substr(0, equals), text);
    if (spec == nullptr) return;
    const bool attached = equals != std::string_view::npos;
    if (spec->argument == Argument::none) {
      if (attached) return fail("option '--{}' doesn't allow an argument", spec->name);
      accept(*spec);
    } else if (attached) {
      accept(*spec, text.substr(equals + 1));
    } else if (at_end()) {
      fail("option '--{}' requires an argument", spec->name);
    } else {
      accept(*spec, take());
    }
  }

  void read_letters(std::string_view letters) {
    while (error.empty() && !letters.empty()) {
      const char letter = letters.front();
      letters.remove_prefix(1);
      const auto spec = std::ranges::find(specs_, letter, &OptionSpec::letter);
      if (spec == specs_.end() || letter == 0) return fail("invalid option -- '{}'", letter);
      if (spec->argument == Argument::none) {
        accept(*spec);
      } else if (!letters.empty()) {
        return accept(*spec, letters);
      } else if (at_end()) {
        return fail("option requires an argument -- '{}'", letter);
      } else {
        return accept(*spec, take());
      }
    }
  }

  std::span<const OptionSpec> specs_;
  std::span<const char* const> arguments_;
  bool posixly_correct_;
  std::size_t next_ = 1;
};

std::shared_ptr<cxxopts::Value> kind_of_value(Argument argument) {
  if (argument == Argument::required) return cxxopts::value<std::string>();
  return cxxopts::value<bool>();
}

cxxopts::ParseResult parse(std::span<const OptionSpec> specs, const std::vector<std::string>& tokens) {
  cxxopts::Options options{""};
  for (const OptionSpec& spec : specs) {
    options.add_options()(std::string(spec.name), std::string(spec.help), kind_of_value(spec.argument));
  }
  std::vector<const char*> argv{""};
  for (const std::string& token : tokens) argv.push_back(token.c_str());
  return options.parse(static_cast<int>(argv.size()), argv.data());
}

}  // namespace

CommandLine read_command_line(std::span<const OptionSpec> specs, std::span<const char* const> arguments,
                              bool posixly_correct) {
  Reader reader(specs, arguments, posixly_correct);
  reader.read();
  return {parse(specs, reader.tokens), std::move(reader.operands), std::move(reader.error)};
}

CommandLine read_command_line(std::span<const OptionSpec> specs, int argc, const char* const* argv) {
  return read_command_line(specs, std::span(argv, static_cast<std::size_t>(argc)),
                           std::getenv("POSIXLY_CORRECT") != nullptr);
}

std::string option_rows(std::span<const OptionSpec> specs) {
  std::string rows;
  for (const OptionSpec& spec : specs) {
    if (!spec.help.empty()) rows += fmt::format("\t{}\n", spec.help);
  }
  return rows;
}

}  // namespace notify_tools
