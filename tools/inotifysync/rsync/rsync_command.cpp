// SPDX-License-Identifier: GPL-2.0-or-later
#include "inotifysync/rsync/rsync_command.hpp"

#include <algorithm>

#include "inotifysync/changes/path_names.hpp"

namespace inotifysync {
namespace {

using Arguments = std::vector<std::string>;

std::string_view name_of(std::string_view path) {
  return path.substr(path.rfind('/') + 1);
}

// From the directory `here` on the target to `there`; both relative to the target's top.
std::string way(std::string_view here, std::string_view there) {
  std::string up;
  if (!here.empty()) {
    for (auto steps = std::count(here.begin(), here.end(), '/') + 1; steps > 0; --steps) up += "../";
  }
  up += there;
  return up.empty() ? "." : up;
}

// rsync splits the remote shell's words at spaces and understands quotes.
std::string quoted_word(const std::string& word) {
  if (word.find_first_of(" \t\"'") == std::string::npos) return word;
  const char quote = word.find('"') == std::string::npos ? '"' : '\'';
  return quote + word + quote;
}

std::string remote_shell(const RsyncSettings& settings, const Target& target) {
  std::string shell = target.ssh.empty() ? "ssh" : target.ssh;
  // Somebody's own program need not know ssh's options.
  const std::string_view program = std::string_view(shell).substr(0, shell.find(' '));
  if (name_of(program) != "ssh") return shell;
  shell += " -oBatchMode=yes -oConnectTimeout=10 -oServerAliveInterval=15 -oServerAliveCountMax=3";
  if (settings.control_directory.empty()) return shell;
  return shell + " -oControlMaster=auto -oControlPersist=60 " +
         quoted_word("-oControlPath=" + settings.control_directory + "/%C");
}

bool wants_list(StepKind kind) {
  return kind == StepKind::exact || kind == StepKind::attributes || kind == StepKind::subtree ||
         kind == StepKind::directories;
}

void add_connection(Arguments& out, const RsyncSettings& settings, const Target& target) {
  switch (target.kind) {
    case Target::Kind::local:
      return;
    case Target::Kind::ssh:
      out.push_back("--rsh=" + remote_shell(settings, target));
      break;
    case Target::Kind::daemon:
      out.insert(out.end(), {"--sockopts=TCP_NODELAY", "--contimeout=10"});
      if (!target.password_file.empty()) out.push_back("--password-file=" + target.password_file);
      break;
  }
  if (!target.rsync_path.empty()) out.push_back("--rsync-path=" + target.rsync_path);
}

void add_deletion(Arguments& out, const RsyncSettings& settings, const Step& step, Deletion deletion) {
  if (deletion == Deletion::none) {
    // What vanishes between planning and sending is no error then.
    if (wants_list(step.kind)) out.push_back("--ignore-missing-args");
    return;
  }
  switch (step.kind) {
    case StepKind::exact:
      out.push_back(deletion == Deletion::missing_args ? "--delete-missing-args" : "--ignore-missing-args");
      break;
    case StepKind::attributes:
      out.push_back("--ignore-missing-args");
      return;
    case StepKind::subtree:
    case StepKind::directories:
      out.insert(out.end(), {"--delete", "--ignore-missing-args"});
      break;
    case StepKind::full:
    case StepKind::move_directory:
      out.push_back("--delete");
      break;
    case StepKind::move_file:
    case StepKind::root:
      return;
  }
  out.push_back("--force");
  if (step.only_counts) return out.push_back("--max-delete=0");
  // What was counted before needs no limit: the old name of a renamed tree would be counted again.
  if (settings.max_delete && !step.counted)
    out.push_back("--max-delete=" + std::to_string(*settings.max_delete + step.renamed));
}

void add_kind(Arguments& out, const Step& step) {
  if (wants_list(step.kind)) out.insert(out.end(), {"--files-from=-", "--from0"});
  if (step.ignore_times) out.push_back("--ignore-times");
  if (step.kind == StepKind::subtree) out.push_back("--recursive");
  if (step.make_parents) out.push_back("--mkpath");
  if (step.kind == StepKind::root) out.push_back("--exclude=/*");
  if (step.kind == StepKind::move_directory) out.push_back("--link-dest=" + way(step.to, step.from));
  if (step.kind != StepKind::move_file) return;
  out.push_back("--checksum");
  const bool same_name = name_of(step.from) == name_of(step.to);
  const bool same_place = parent_of(step.from) == parent_of(step.to);
  if (!same_name) out.insert(out.end(), {"--fuzzy", "--fuzzy"});
  if (!same_place) out.push_back("--link-dest=" + way(parent_of(step.to), parent_of(step.from)));
}

// No "../" is left at its beginning: it would lead through a directory that may be gone by then.
std::string destination(const RsyncSettings& settings, const Target& target, std::string_view below = {}) {
  // The slash at the end makes it a directory's name, also where there is nothing yet.
  if (!settings.target_place.empty())
    return settings.target_place + "/" + std::string(below) + (below.empty() ? "" : "/");
  const std::string where = target.destination(below);
  if (target.kind != Target::Kind::local || where.front() == '/' || settings.directory.empty()) return where;
  std::string_view base = settings.directory, rest = where;
  while (rest.starts_with("./") || rest.starts_with("../")) {
    if (rest.starts_with("../")) base = parent_of(base);
    rest.remove_prefix(rest.find('/') + 1);
  }
  return std::string(base) + (base.ends_with('/') ? "" : "/") + std::string(rest);
}

void add_ends(Arguments& out, const RsyncSettings& settings, const Target& target, const Step& step) {
  const std::string source = settings.source + (settings.source.back() == '/' ? "" : "/");
  switch (step.kind) {
    case StepKind::move_directory:
      out.push_back(source + step.to + "/");
      out.push_back(destination(settings, target, step.to));
      return;
    case StepKind::move_file:
      out.push_back(source + step.to);
      out.push_back(destination(settings, target, parent_of(step.to)));
      return;
    default:
      out.push_back(step.from_root ? "/" : source);
      out.push_back(destination(settings, target));
  }
}

}  // namespace

std::vector<std::string> rsync_command(const RsyncSettings& settings, const Target& target, const Step& step,
                                       Deletion deletion) {
  Arguments out{settings.program,
                "-aHs",
                "--modify-window=" + std::to_string(settings.time_window),
                "--itemize-changes",
                "--out-format=%i %b %n",
                "--info=stats1"};
  if (step.kind != StepKind::full) out.push_back("--itemize-changes");  // tell of unchanged ones too
  if (settings.dry_run) out.push_back("--dry-run");
  add_kind(out, step);
  add_deletion(out, settings, step, deletion);
  add_connection(out, settings, target);
  if (settings.io_timeout.count() > 0 && step.kind != StepKind::exact) {
    out.push_back("--timeout=" + std::to_string(settings.io_timeout.count()));
  }
  if (!step.from_root) {
    const auto& filters = step.kind == StepKind::move_directory ? step.filters : settings.filters;
    out.insert(out.end(), filters.begin(), filters.end());
  }
  out.insert(out.end(), settings.extra.begin(), settings.extra.end());
  out.insert(out.end(), target.rsync_options.begin(), target.rsync_options.end());
  add_ends(out, settings, target, step);
  return out;
}

std::vector<std::string> warm_command(const RsyncSettings& settings, const Target& target,
                                      Deletion deletion) {
  Step step;
  step.kind = StepKind::exact;
  step.ignore_times = step.from_root = true;
  // What is gone only when it comes to look, nobody has counted.
  step.counted = !settings.max_delete;
  step.deletes = deletion == Deletion::missing_args;
  return rsync_command(settings, target, step, deletion);
}

bool fits_warm(const Step& step, Deletion deletion_of_warm, bool limited) {
  const auto is_missing = [](const Step::Entry& entry) { return entry.missing; };
  if (limited && !step.limitable) return false;
  return step.kind == StepKind::exact && step.from_root && step.counted &&
         (deletion_of_warm == Deletion::missing_args ||
          std::none_of(step.entries.begin(), step.entries.end(), is_missing));
}

bool knows_password(const RsyncSettings& settings, const Target& target) {
  const auto gives_it = [](const Arguments& options) {
    return std::any_of(options.begin(), options.end(),
                       [](const std::string& option) { return option.starts_with("--password-file"); });
  };
  return target.kind != Target::Kind::daemon || !target.password_file.empty() ||
         settings.password_in_environment || gives_it(settings.extra) || gives_it(target.rsync_options);
}

std::vector<std::string> rsync_environment(const RsyncSettings& settings, const Target& target) {
  std::vector<std::string> variables{"LC_ALL=C"};
  // An empty one, as rsync would wait for somebody at the terminal to type it.
  if (!knows_password(settings, target)) variables.emplace_back("RSYNC_PASSWORD=");
  return variables;
}

std::string shell_quoted(const std::vector<std::string>& arguments) {
  constexpr std::string_view plain =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-+=./:@%,";
  std::string line;
  for (const std::string& argument : arguments) {
    if (!line.empty()) line += ' ';
    if (!argument.empty() && argument.find_first_not_of(plain) == std::string::npos) {
      line += argument;
      continue;
    }
    line += '\'';
    for (const char c : argument) {
      if (c == '\'') {
        line += "'\\''";
      } else {
        line += c;
      }
    }
    line += '\'';
  }
  return line;
}

}  // namespace inotifysync
