// SPDX-License-Identifier: GPL-2.0-or-later
#include "inotifysync/config/config.hpp"

#include <toml++/toml.h>

#include <optional>
#include <utility>

#include "inotifysync/config/keys.hpp"

namespace inotifysync {
namespace {

using notify_core::Error;
using notify_core::Result;

class Reader {
 public:
  explicit Reader(std::string_view name) : name_(name) {}

  Result<Config> read(std::string_view text) {
    toml::table root;
    try {
      root = toml::parse(text, name_);
    } catch (const toml::parse_error& problem) {
      return at(problem.source(), std::string(problem.description()));
    }
    read_program(root);
    if (error_) return *error_;
    return std::move(config_);
  }

 private:
  Error at(const toml::source_region& where, std::string detail) const {
    return {0, "", name_ + ":" + std::to_string(where.begin.line), std::move(detail)};
  }

  // The first fault counts.
  void fail(const toml::source_region& where, std::string detail) {
    if (!error_) error_ = at(where, std::move(detail));
  }
  void fail_key(const toml::node& node, std::string_view key, const std::string& fault) {
    fail(node.source(), "key '" + std::string(key) + "' " + fault);
  }

  void fail_unknown(const toml::node& node, std::string_view key, const char* where, Table table) {
    fail_key(node, key, std::string("is not known ") + where + key_hint(key, table));
  }

  template <class Into>
  bool take(const std::vector<Key<Into>>& keys, std::string_view name, const toml::node& node, Into& into) {
    for (const Key<Into>& key : keys) {
      if (key.name != name) continue;
      const Fault fault = key.read(node, into);
      if (!fault.empty()) fail_key(node, name, fault);
      return true;
    }
    return false;
  }

  void read_program(const toml::table& root) {
    Draft draft;
    const toml::node* sources = nullptr;
    for (const auto& [key, node] : root) {
      const std::string_view name = key.str();
      if (name == "source") {
        sources = &node;
        continue;
      }
      const bool known = take(program_keys, name, node, config_) || take(source_keys, name, node, draft) ||
                         take(target_keys, name, node, draft.target);
      if (!known) fail_unknown(node, name, "at the top level", Table::top);
    }
    if (error_) return;
    if (sources && sources->is_table())
      return fail(sources->source(), "write [[source]] in place of [source]");
    const toml::array* list = sources ? sources->as_array() : nullptr;
    if (!list || list->empty()) {
      return fail(sources ? sources->source() : root.source(), "there must be a [[source]] table");
    }
    for (const toml::node& node : *list) read_source(node, draft);
  }

  void read_source(const toml::node& node, Draft draft) {
    const toml::table* table = node.as_table();
    if (!table) return fail_key(node, "source", "must be a table: [[source]]");
    const toml::node *targets = nullptr, *plain_targets = nullptr;
    for (const auto& [key, value] : *table) {
      const std::string_view name = key.str();
      if (name == "target") {
        targets = &value;
      } else if (name == "targets") {
        plain_targets = &value;
      } else if (name == "path") {
        const Fault fault = read_path(value, draft.source.path);
        if (!fault.empty()) fail_key(value, name, fault);
      } else if (!take(source_keys, name, value, draft) && !take(target_keys, name, value, draft.target)) {
        fail_unknown(value, name, "in [[source]]", Table::source);
      }
    }
    if (error_) return;
    if (draft.source.path.empty()) return fail(node.source(), "key 'path' is missing in [[source]]");
    while (draft.source.path.size() > 1 && draft.source.path.back() == '/') draft.source.path.pop_back();
    read_targets(node, targets, plain_targets, draft);
    gather_filters(draft);
    if (!error_) config_.sources.push_back(std::move(draft.source));
  }

  void read_targets(const toml::node& source, const toml::node* targets, const toml::node* plain,
                    Draft& draft) {
    if (plain) {
      const toml::array* list = plain->as_array();
      if (!list) return fail_key(*plain, "targets", "must be a list of strings");
      for (const toml::node& node : *list) {
        std::string to;
        const Fault fault = read_text(node, to);
        if (!fault.empty()) return fail_key(node, "targets", "must be a list of strings that are not empty");
        add_target(node, "targets", to, draft.target, draft);
      }
    }
    if (targets) {
      if (targets->is_table())
        return fail(targets->source(), "write [[source.target]] in place of [source.target]");
      const toml::array* list = targets->as_array();
      if (!list) return fail_key(*targets, "target", "must be a table of its own: [[source.target]]");
      for (const toml::node& node : *list) read_target(node, draft);
    }
    if (draft.source.targets.empty()) {
      fail(source.source(),
           "a [[source]] needs a target: a [[source.target]] with 'to', or 'targets = [...]'");
    }
  }

  void read_target(const toml::node& node, Draft& draft) {
    const toml::table* table = node.as_table();
    if (!table) return fail_key(node, "target", "must be a table of its own: [[source.target]]");
    Target settings = draft.target;
    const toml::node* to_node = nullptr;
    std::string to;
    for (const auto& [key, value] : *table) {
      const std::string_view name = key.str();
      if (name == "to") {
        to_node = &value;
        const Fault fault = read_text(value, to);
        if (!fault.empty()) fail_key(value, name, fault);
      } else if (!take(target_keys, name, value, settings) && !take(own_target_keys, name, value, settings)) {
        fail_unknown(value, name, "in [[source.target]]", Table::target);
      }
    }
    if (error_) return;
    if (!to_node) return fail(node.source(), "key 'to' is missing in [[source.target]]");
    add_target(*to_node, "to", to, settings, draft);
    if (!error_) check_use(*table, draft.source.targets.back().kind);
  }

  // What a target says of itself must be of use there; what stands for all is for those who can use it.
  void check_use(const toml::table& table, Target::Kind kind) {
    const auto is_for = [&](const char* key, Target::Kind user, const char* words) {
      const toml::node* node = table.get(key);
      if (node && kind != user) fail_key(*node, key, words);
    };
    is_for("password_file", Target::Kind::daemon, "is for daemon targets only (rsync:// or HOST::MODULE)");
    is_for("ssh", Target::Kind::ssh, "is for targets by ssh only (HOST:PATH)");
    is_for("rsync_path", Target::Kind::ssh, "is for targets by ssh only (HOST:PATH)");
  }

  void add_target(const toml::node& node, std::string_view key, const std::string& to, const Target& settings,
                  Draft& draft) {
    auto parsed = parse_target(to);
    if (!parsed) return fail_key(node, key, "'" + to + "': " + parsed.error().detail);
    Target target = std::move(parsed).value();
    if (target.kind == Target::Kind::local && to.front() != '/')
      return fail_key(
          node, key, "'" + to + "' must be an absolute path, HOST:PATH, HOST::MODULE or rsync://HOST/MODULE");
    if (!settings.name.empty()) target.name = settings.name;
    if (target.kind == Target::Kind::daemon) target.password_file = settings.password_file;
    target.ssh = settings.ssh;
    target.rsync_path = settings.rsync_path;
    target.rsync_options = settings.rsync_options;
    target.warm = settings.warm;
    target.remove = settings.remove;
    const std::string fault = target_fault(draft.source.path, target, draft.source.targets);
    if (!fault.empty()) fail_key(node, key, "'" + to + "' " + fault);
    for (const SourceConfig& other : config_.sources) {
      if (const Target* same = find_same_place(target, other.targets))
        fail_key(node, key,
                 "'" + to + "' is the same place as '" + same->operand + "', a target of " + other.path);
    }
    draft.source.targets.push_back(std::move(target));
  }

  void gather_filters(Draft& draft) {
    const auto add = [&draft](const char* option, const std::vector<std::string>& values) {
      for (const std::string& value : values) draft.source.filters.push_back(option + value);
    };
    add("--exclude=", draft.filter);  // "+ " and "- " in front choose
    add("--include=", draft.include);
    add("--exclude=", draft.exclude);
    add("--include-from=", draft.include_from);
    add("--exclude-from=", draft.exclude_from);
  }

  std::string name_;
  Config config_;
  std::optional<Error> error_;
};

}  // namespace

Result<Config> parse_config(std::string_view text, std::string_view name) {
  return Reader(name).read(text);
}

}  // namespace inotifysync
