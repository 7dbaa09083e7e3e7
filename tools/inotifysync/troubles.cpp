// SPDX-License-Identifier: GPL-2.0-or-later
#include "inotifysync/troubles.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>

#include "common/diagnostics.hpp"
#include "inotifysync/config/rules.hpp"
#include "inotifysync/loop/places.hpp"
#include "inotifysync/loop/system.hpp"

namespace inotifysync {
namespace {

// "--exclude-from", or "exclude_from" where it is a key of the configuration.
std::string spelled(std::string name, bool is_file) {
  if (!is_file) return "--" + name;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

std::string password_file_trouble(const SourceConfig& source, bool is_file) {
  for (const Target& target : source.targets) {
    if (target.password_file.empty()) continue;
    const std::string option = spelled("password-file", is_file);
    const auto access = file_access(target.password_file);
    if (!access) return option + ": " + words_of(access.error());
    const std::string fault = password_file_fault(access->mode, access->owner, access->we);
    if (!fault.empty()) return fmt::format("{}: {}: {}", option, target.password_file, fault);
  }
  return {};
}

std::string filter_file_trouble(const SourceConfig& source, bool is_file) {
  for (const std::string& filter : source.filters) {
    const std::size_t equals = filter.find('=');
    const std::string name = filter.substr(2, equals - 2), path = filter.substr(equals + 1);
    if (!name.ends_with("-from")) continue;
    if (const auto access = file_access(path); access && S_ISFIFO(access->mode))
      return fmt::format("{}: {}: it is a pipe, and patterns are read more than once: keep them in a file",
                         spelled(name, is_file), path);
    const auto text = read_file(path);
    if (!text) return spelled(name, is_file) + ": " + words_of(text.error());
    const std::string fault = pattern_lines_fault(*text);
    if (!fault.empty()) return fmt::format("{}: {}: {}", spelled(name, is_file), path, fault);
  }
  return {};
}

// Before each of its runs, a target is looked at again.
constexpr std::chrono::seconds hang_patience{2};

}  // namespace

std::string words_of(const notify_core::Error& error) {
  return error.path.empty() ? notify_tools::reason(error) : error.path + ": " + notify_tools::reason(error);
}

std::string config_file_trouble(const std::string& path) {
  const auto access = file_access(path);
  if (!access) return words_of(access.error());
  const std::string fault =
      config_file_fault(access->mode, access->owner, access->group, access->we, access->our_group);
  return fault.empty() ? fault : path + ": " + fault;
}

std::string settings_trouble(const Config& config, bool is_file) {
  for (const SourceConfig& source : config.sources) {
    std::string trouble = password_file_trouble(source, is_file);
    if (trouble.empty()) trouble = filter_file_trouble(source, is_file);
    if (!trouble.empty()) return trouble;
  }
  return fault_within(hang_patience, [sources = config.sources] { return places_fault(sources); });
}

std::string own_files_trouble(const Config& config, bool watches) {
  return fault_within(hang_patience, [config, watches] { return own_files_fault(config, watches); });
}

}  // namespace inotifysync
