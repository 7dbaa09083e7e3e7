// SPDX-License-Identifier: GPL-2.0-or-later
#include "inotifysync/options.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <set>
#include <span>
#include <string_view>

#include "common/command_line.hpp"
#include "common/diagnostics.hpp"
#include "inotifysync/config/rules.hpp"
#include "inotifysync/loop/system.hpp"
#include "inotifysync/troubles.hpp"

namespace inotifysync {
namespace {

using notify_tools::Argument;
using notify_tools::OptionSpec;

constexpr auto specs = std::to_array<OptionSpec>({
    {"config", 'c', Argument::required,
     "-c|--config <file>  \tRead sources, targets and settings from a TOML file."},
    {"delete", 0, Argument::none, "--delete            \tDelete on the targets what is not in the source."},
    {"max-delete", 0, Argument::required,
     "--max-delete <n>    \tDelete nothing more once a batch would delete more than <n>."},
    {"exclude", 0, Argument::required, "--exclude <pattern> \tLeave out what matches, as in rsync(1)."},
    {"include", 0, Argument::required, "--include <pattern> \tDo not leave out what matches."},
    {"exclude-from", 0, Argument::required, "--exclude-from <file>\tRead patterns to leave out from a file."},
    {"include-from", 0, Argument::required,
     "--include-from <file>\tRead patterns not to leave out from a file."},
    {"password-file", 0, Argument::required, "--password-file <file>\tThe password for rsync daemons."},
    {"settle", 0, Argument::required,
     "--settle <time>     \tSend a file that stays open once it was left alone for <time> (2s)."},
    {"max-delay", 0, Argument::required,
     "--max-delay <time>  \tSend a file that is written without a pause after <time> at most (10s)."},
    {"jobs", 'j', Argument::required, "-j|--jobs <n>       \tRun at most <n> rsyncs at once."},
    {"timeout", 0, Argument::required,
     "--timeout <time>    \tEnd an rsync that moves no byte for <time> (60s)."},
    {"audit-interval", 0, Argument::required,
     "--audit-interval <time>\tCompare everything every <time> (1d); 0: never."},
    {"no-initial-sync", 0, Argument::none, "--no-initial-sync   \tDo not compare everything at the start."},
    {"once", '1', Argument::none, "-1|--once           \tBring all targets up to date and exit."},
    {"from-stdin", 0, Argument::none, "--from-stdin        \tRead changed paths from stdin, watch nothing."},
    {"null", '0', Argument::none, "-0|--null           \tPaths on stdin end in NUL."},
    {"dry-run", 'n', Argument::none, "-n|--dry-run        \tPrint the rsync command lines and exit."},
    {"fanotify", 'F', Argument::none, "-F|--fanotify       \tWatch the whole filesystem by fanotify(7)."},
    {"fanotify-auto", 0, Argument::none, "--fanotify-auto     \tThe same where it is allowed and enough."},
    {"daemon", 'd', Argument::none, "-d|--daemon         \tGo to the background once the source is watched."},
    {"pid-file", 0, Argument::required, "--pid-file <file>   \tKeep the process id in a file."},
    {"status-file", 0, Argument::required,
     "--status-file <file>\tKeep the state of every target in a file, as JSON."},
    {"log-file", 'o', Argument::required, "-o|--log-file <file>\tAppend all lines to a file."},
    {"log-format", 0, Argument::required,
     "--log-format text|json\n\t                    \tLines for people, or one JSON object a line."},
    {"syslog", 's', Argument::none, "-s|--syslog         \tSend all lines to syslog."},
    {"verbose", 'v', Argument::none, "-v|--verbose        \tSay more."},
    {"quiet", 'q', Argument::none, "-q|--quiet          \tSay nothing but warnings and errors."},
    {"rsync", 0, Argument::required, "--rsync <program>   \tThe rsync to run."},
    {"help", 'h', Argument::none, "-h|--help           \tShow this help."},
    {"version", 'V', Argument::none, "-V|--version        \tShow the version."},
});

// What is wrong with a value, or empty.
using Fault = std::string;

template <class Value>
Fault parsed(notify_core::Result<Value> result, Value& into, const std::string& name,
             const std::string& value) {
  if (!result) return fmt::format("--{} '{}': {}", name, value, notify_tools::reason(result.error()));
  into = *result;
  return {};
}

Fault number(const std::string& name, const std::string& value, unsigned& into) {
  const char* const end = value.data() + value.size();
  const auto [read, problem] = std::from_chars(value.data(), end, into);
  if (problem == std::errc{} && read == end) return {};
  return fmt::format("--{} '{}': a whole number, 0 or more, is needed", name, value);
}

bool names_something(std::string_view option) {
  return option == "config" || option == "rsync" || option.ends_with("-file") || option.ends_with("-from");
}

// Options that say how the program runs. False: `name` is none of them.
bool take_program_option(const std::string& name, const std::string& value, Config& config, Fault& fault) {
  if (name == "pid-file")
    config.pid_file = value;
  else if (name == "status-file")
    config.status_file = value;
  else if (name == "log-file")
    config.log_file = value;
  else if (name == "syslog")
    config.syslog = true;
  else if (name == "verbose")
    config.verbosity = 1;
  else if (name == "quiet")
    config.verbosity = -1;
  else if (name == "rsync")
    config.rsync = value;
  else if (name == "jobs")
    fault = number(name, value, config.jobs);
  else if (name == "log-format")
    config.log_json = value == "json";
  else
    return false;
  if (name == "log-format" && value != "json" && value != "text")
    fault = fmt::format("--log-format '{}': text or json", value);
  return true;
}

// Options that say what is done. False: `name` is none of them.
bool take_mode(const std::string& name, const std::string& value, Options& options) {
  if (name == "config")
    options.config_file = value;
  else if (name == "once")
    options.once = true;
  else if (name == "from-stdin")
    options.from_stdin = true;
  else if (name == "null")
    options.null = true;
  else if (name == "dry-run")
    options.dry_run = true;
  else if (name == "daemon")
    options.daemon = true;
  else if (name == "help")
    options.help = true;
  else if (name == "version")
    options.version = true;
  else
    return false;
  return true;
}

// Fills one Options from the option occurrences, in their order.
class Reader {
 public:
  explicit Reader(Options& options) : options_(options), source_(options.config.sources.emplace_back()) {}

  void take(const std::string& name, const std::string& value) {
    Fault fault;
    if (value.empty() && names_something(name))
      return fail("--" + name + " is given nothing: name a " + (name == "rsync" ? "program" : "file"));
    if (take_mode(name, value, options_)) return;
    if (take_program_option(name, value, options_.config, fault)) {
      options_.program_settings.emplace_back(name, value);
    } else {
      if (source_option_.empty()) source_option_ = name;
      fault = take_source_option(name, value);
    }
    if (!fault.empty()) fail(std::move(fault));
  }

  // With a configuration file, the command line says nothing of sources.
  void no_sources(const std::vector<std::string>& operands) {
    if (!operands.empty()) return fail("--config and '" + operands.front() + "': give the one or the other");
    if (!source_.rsync_options.empty())
      return fail("options behind -- beside --config: say them in the file (rsync_options)");
    if (!source_option_.empty()) fail("--" + source_option_ + " beside --config: say it in the file");
  }

  void operands(const std::vector<std::string>& operands) {
    if (operands.size() < 2)
      return fail("give a SOURCE and at least one TARGET, or --config FILE (see --help)");
    source_.path = operands.front();
    if (source_.path.empty()) return fail("the SOURCE is empty: name a directory");
    for (const std::string& operand : std::span(operands).subspan(1)) {
      if (operand.empty())
        return fail("a TARGET is empty: name a directory, HOST:PATH, HOST::MODULE or rsync://HOST/MODULE");
      auto target = parse_target(operand);
      if (!target) return fail(words_of(target.error()));
      if (target->kind == Target::Kind::daemon) target->password_file = password_file_;
      Target named = *target;
      named.name = operand;  // names are told apart below
      const std::string fault = target_fault(source_.path, named, source_.targets);
      if (!fault.empty()) return fail("'" + operand + "' " + fault);
      source_.targets.push_back(std::move(*target));
    }
    tell_names_apart();
    const auto is_daemon = [](const Target& target) { return target.kind == Target::Kind::daemon; };
    if (!password_file_.empty() && std::ranges::none_of(source_.targets, is_daemon))
      fail("--password-file is for rsync daemons, and no target is one (rsync:// or HOST::MODULE)");
  }
  void rsync_options(std::vector<std::string> options) {
    if (const Fault fault = rsync_options_fault(options); !fault.empty()) fail("behind --, " + fault);
    source_.rsync_options = std::move(options);
  }

 private:
  void fail(std::string words) {
    if (options_.error.empty()) options_.error = std::move(words);
  }

  Fault take_source_option(const std::string& name, const std::string& value) {
    if (name == "delete")
      source_.remove = true;
    else if (name == "no-initial-sync")
      source_.initial_sync = false;
    else if (name == "fanotify")
      source_.watching = Watching::by_fanotify;
    else if (name == "fanotify-auto")
      source_.watching = Watching::automatic;
    else if (name == "password-file")
      password_file_ = value;
    else if (name == "max-delete")
      return parsed(parse_delete_limit(value), source_.max_delete, name, value);
    else if (name.ends_with("clude") || name.ends_with("clude-from"))
      return take_filter(name, value);
    else
      return take_duration(name, value);
    return {};
  }

  Fault take_filter(const std::string& name, const std::string& value) {
    if (name.ends_with("clude"))
      if (const Fault fault = pattern_fault(value); !fault.empty()) return "--" + name + ": " + fault;
    source_.filters.push_back("--" + name + "=" + value);
    return {};
  }

  Fault take_duration(const std::string& name, const std::string& value) {
    Milliseconds time{};
    const Fault fault = parsed(parse_duration(value), time, name, value);
    if (name == "settle") source_.settle = time;
    if (name == "max-delay") source_.max_delay = time;
    if (name == "timeout") source_.timeout = std::chrono::ceil<std::chrono::seconds>(time);
    if (name == "audit-interval") source_.audit_interval = std::chrono::ceil<std::chrono::seconds>(time);
    return fault;
  }

  // Three daemons on one host would have one name.
  void tell_names_apart() {
    std::set<std::string> seen, twice;
    for (const Target& target : source_.targets)
      if (!seen.insert(target.name).second) twice.insert(target.name);
    for (Target& target : source_.targets)
      if (twice.contains(target.name)) target.name = short_operand(target.operand);
  }

  static std::string short_operand(std::string_view operand) {
    if (operand.starts_with("rsync://")) operand.remove_prefix(8);
    const auto user = operand.substr(0, operand.find_first_of("/:")).find('@');
    if (user != std::string_view::npos) operand.remove_prefix(user + 1);
    while (operand.size() > 1 && operand.back() == '/') operand.remove_suffix(1);
    return std::string(operand);
  }

  Options& options_;
  SourceConfig& source_;
  std::string password_file_;
  std::string source_option_;  // the first one given
};

void check_modes(Options& options) {
  const auto refuse = [&](bool wrong, const char* words) {
    if (wrong && options.error.empty()) options.error = words;
  };
  refuse(options.from_stdin && options.config.sources.size() > 1, "--from-stdin serves one source");
  refuse(options.null && !options.from_stdin, "--null needs --from-stdin");
  const auto compares = [](const SourceConfig& source) { return source.initial_sync; };
  refuse(options.once && !options.from_stdin && !std::ranges::all_of(options.config.sources, compares),
         "--once compares everything, and --no-initial-sync (initial_sync = false) says not to");
  refuse(options.once && options.daemon, "--once and --daemon exclude each other");
  refuse(options.from_stdin && options.daemon, "--from-stdin and --daemon exclude each other");
}

void check_own_files(const Options& options, const Config& config, std::string& error) {
  if (error.empty()) error = own_files_trouble(config, !options.once && !options.from_stdin);
}

}  // namespace

Config read_config_file(const Options& options, std::string& error) {
  const auto text = read_file(options.config_file);
  if (!text) {
    error = words_of(text.error());
    return {};
  }
  error = config_file_trouble(options.config_file);
  if (!error.empty()) return {};
  auto config = parse_config(*text, options.config_file);
  if (!config) {
    error = words_of(config.error());
    return {};
  }
  error = settings_trouble(*config, true);
  if (!error.empty()) error = options.config_file + ": " + error;
  for (const auto& [name, value] : options.program_settings) take_program_option(name, value, *config, error);
  check_own_files(options, *config, error);
  return std::move(*config);
}

Options read_options(int argc, const char* const* argv) {
  Options options;
  Reader reader(options);
  std::span<const char* const> all(argv, static_cast<std::size_t>(argc));
  std::size_t ours = 0;  // up to the first "--"
  while (ours < all.size() && std::strcmp(all[ours], "--") != 0) ++ours;
  if (ours < all.size()) {
    const auto rest = all.subspan(ours + 1);
    reader.rsync_options({rest.begin(), rest.end()});
  }
  const auto line = notify_tools::read_command_line(specs, all.first(ours), false);
  for (const auto& option : line.options.arguments()) reader.take(option.key(), option.value());
  if (options.help || options.version) return options;
  if (!line.error.empty()) {
    options.error = line.error.substr(std::min(line.error.size(), std::strlen(argv[0]) + 2));
  } else if (options.config_file.empty()) {
    reader.operands(line.operands);
    if (options.error.empty()) options.error = settings_trouble(options.config, false);
    check_own_files(options, options.config, options.error);
  } else {
    reader.no_sources(line.operands);
    if (options.error.empty()) {
      options.config = read_config_file(options, options.error);
      options.file_is_wrong = !options.error.empty();
    }
  }
  check_modes(options);
  return options;
}

std::string help_text() {
  return "inotifysync: keeps targets identical to a source, by inotify(7) and rsync(1).\n"
         "Usage: inotifysync [ options ] source target [ target ... ] [ -- rsync's options ]\n"
         "       inotifysync [ options ] --config file\n"
         "A target is any destination rsync knows: dir, host:dir, host::module, rsync://host/module.\n"
         "Options:\n" +
         notify_tools::option_rows(specs);
}

}  // namespace inotifysync
