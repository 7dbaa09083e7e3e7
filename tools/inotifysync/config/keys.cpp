// SPDX-License-Identifier: GPL-2.0-or-later
#include "inotifysync/config/keys.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "inotifysync/config/rules.hpp"

namespace inotifysync {

const std::vector<Key<Config>> program_keys = {
    {"jobs",
     [](const toml::node& node, Config& into) {
       std::int64_t value = 0;
       Fault fault = read_number(node, 0, 10'000, value);
       into.jobs = static_cast<unsigned>(value);
       return fault;
     }},
    {"status_file", [](const toml::node& node, Config& into) { return read_path(node, into.status_file); }},
    {"pid_file", [](const toml::node& node, Config& into) { return read_path(node, into.pid_file); }},
    {"log_file", [](const toml::node& node, Config& into) { return read_path(node, into.log_file); }},
    {"syslog", [](const toml::node& node, Config& into) { return read_flag(node, into.syslog); }},
    {"log_format",
     [](const toml::node& node, Config& into) {
       std::string text;
       if (!read_text(node, text).empty() || (text != "text" && text != "json")) {
         return Fault("must be \"text\" or \"json\"");
       }
       into.log_json = text == "json";
       return Fault();
     }},
    {"verbosity",
     [](const toml::node& node, Config& into) {
       std::int64_t value = 0;
       Fault fault = read_number(node, -1, 3, value);
       into.verbosity = static_cast<int>(value);
       return fault;
     }},
    {"rsync", [](const toml::node& node, Config& into) { return read_text(node, into.rsync); }},
};

const std::vector<Key<Draft>> source_keys = {
    {"delete", [](const toml::node& node, Draft& into) { return read_flag(node, into.source.remove); }},
    {"max_delete",
     [](const toml::node& node, Draft& into) { return read_limit(node, into.source.max_delete); }},
    {"filter",
     [](const toml::node& node, Draft& into) { return read_texts(node, into.filter, filter_rule_fault); }},
    {"include",
     [](const toml::node& node, Draft& into) { return read_texts(node, into.include, pattern_fault); }},
    {"exclude",
     [](const toml::node& node, Draft& into) { return read_texts(node, into.exclude, pattern_fault); }},
    {"include_from", [](const toml::node& node, Draft& into) { return read_paths(node, into.include_from); }},
    {"exclude_from", [](const toml::node& node, Draft& into) { return read_paths(node, into.exclude_from); }},
    {"settle", [](const toml::node& node, Draft& into) { return read_duration(node, into.source.settle); }},
    {"max_delay",
     [](const toml::node& node, Draft& into) { return read_duration(node, into.source.max_delay); }},
    {"audit_interval",
     [](const toml::node& node, Draft& into) { return read_seconds(node, into.source.audit_interval); }},
    {"timeout", [](const toml::node& node, Draft& into) { return read_seconds(node, into.source.timeout); }},
    {"initial_sync",
     [](const toml::node& node, Draft& into) { return read_flag(node, into.source.initial_sync); }},
    {"fanotify",
     [](const toml::node& node, Draft& into) { return read_watching(node, into.source.watching); }},
    {"rsync_options",
     [](const toml::node& node, Draft& into) { return read_rsync_options(node, into.source.rsync_options); }},
};

const std::vector<Key<Target>> target_keys = {
    {"password_file",
     [](const toml::node& node, Target& into) { return read_path(node, into.password_file); }},
    {"ssh", [](const toml::node& node, Target& into) { return read_text(node, into.ssh); }},
    {"rsync_path", [](const toml::node& node, Target& into) { return read_text(node, into.rsync_path); }},
    {"warm", [](const toml::node& node, Target& into) { return read_flag(node, into.warm); }},
};

const std::vector<Key<Target>> own_target_keys = {
    {"name", [](const toml::node& node, Target& into) { return read_text(node, into.name); }},
    {"delete", [](const toml::node& node, Target& into) { return read_flag(node, into.remove); }},
    {"rsync_options",
     [](const toml::node& node, Target& into) { return read_rsync_options(node, into.rsync_options); }},
};

namespace {

// How many letters must be typed, left out or changed.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t k = 0; k <= b.size(); ++k) row[k] = k;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t k = 1; k <= b.size(); ++k) {
      const std::size_t changed = diagonal + (a[i - 1] != b[k - 1]);
      diagonal = row[k];
      row[k] = std::min({changed, row[k] + 1, row[k - 1] + 1});
    }
  }
  return row[b.size()];
}

// Keys of a table that are not in the lists: the reader takes them by itself.
constexpr std::string_view source_words[] = {"path", "targets", "target"};
constexpr std::string_view target_words[] = {"to"};

template <class Into>
void add_names(const std::vector<Key<Into>>& keys, std::vector<std::string_view>& names) {
  for (const Key<Into>& key : keys) names.push_back(key.name);
}

std::vector<std::string_view> names_in(Table table) {
  std::vector<std::string_view> names;
  if (table == Table::top) add_names(program_keys, names);
  if (table != Table::target) add_names(source_keys, names);
  if (table == Table::target) add_names(own_target_keys, names);
  add_names(target_keys, names);
  if (table == Table::source) names.insert(names.end(), std::begin(source_words), std::end(source_words));
  if (table == Table::target) names.insert(names.end(), std::begin(target_words), std::end(target_words));
  return names;
}

}  // namespace

std::string key_hint(std::string_view written, Table table) {
  static constexpr std::pair<Table, std::string_view> places[] = {
      {Table::source, "in [[source]]"},
      {Table::target, "in [[source.target]]"},
      {Table::top, "at the top, before the first [[source]]"}};
  for (const auto& [place, words] : places) {
    const auto names = names_in(place);
    if (std::find(names.begin(), names.end(), written) != names.end())
      return "; it belongs " + std::string(words);
  }
  for (const std::string_view name : names_in(table)) {
    if (distance(name, written) <= std::min<std::size_t>(2, name.size() - 1))
      return "; is it '" + std::string(name) + "'?";
  }
  return {};
}

}  // namespace inotifysync
