// SPDX-License-Identifier: GPL-2.0-or-later
#include "inotifysync/config/config.hpp"

#include <toml++/toml.h>

#include <algorithm>
#include <charconv>
#include <initializer_list>
#include <limits>
#include <set>
#include <sstream>
#include <utility>

namespace inotifysync {
namespace {

using notify_core::Error;
using notify_core::Result;

// What stands for every target of a source, or of all, that does not say otherwise.
struct Draft {
  SourceConfig source;
  Target target;
  std::vector<std::string> filter, include, exclude, include_from, exclude_from;
};

// Each reader takes a value and says what it must be; empty: it is.
using Fault = std::string;

Fault read_text(const toml::node& node, std::string& out) {
  const auto value = node.value_exact<std::string>();
  if (!value || value->empty()) return "must be a string that is not empty";
  if (value->find('\0') != std::string::npos) return "must not hold a NUL byte";
  out = *value;
  return {};
}

Fault read_path(const toml::node& node, std::string& out) {
  Fault fault = read_text(node, out);
  if (fault.empty() && out.front() != '/') fault = "must be an absolute path";
  return fault;
}

Fault read_flag(const toml::node& node, bool& out) {
  const auto value = node.value_exact<bool>();
  if (!value) return "must be true or false";
  out = *value;
  return {};
}

Fault read_flag(const toml::node& node, std::optional<bool>& out) {
  return read_flag(node, out.emplace());
}

Fault read_watching(const toml::node& node, Watching& out) {
  if (node.value_exact<std::string>() == "auto") {
    out = Watching::automatic;
    return {};
  }
  bool by_fanotify = false;
  if (!read_flag(node, by_fanotify).empty()) return "must be true, false or \"auto\"";
  out = by_fanotify ? Watching::by_fanotify : Watching::by_inotify;
  return {};
}

Fault read_texts(const toml::node& node, std::vector<std::string>& out) {
  constexpr const char* must = "must be a list of strings that are not empty";
  const toml::array* list = node.as_array();
  if (!list) return must;
  out.clear();
  for (const toml::node& item : *list) {
    if (!read_text(item, out.emplace_back()).empty()) return must;
  }
  return {};
}

Fault read_number(const toml::node& node, std::int64_t low, std::int64_t high, std::int64_t& out) {
  const auto value = node.value_exact<std::int64_t>();
  if (!value || *value < low || *value > high) {
    return "must be a whole number from " + std::to_string(low) + " to " + std::to_string(high);
  }
  out = *value;
  return {};
}

Fault read_duration(const toml::node& node, Milliseconds& out) {
  std::string text;
  if (const auto value = node.value_exact<std::string>()) text = *value;
  if (const auto value = node.value_exact<std::int64_t>()) text = std::to_string(*value);
  if (const auto value = node.value_exact<double>()) {
    std::ostringstream words;
    words << *value;
    text = words.str();
  }
  const auto duration = parse_duration(text);
  if (!duration) return std::string("must be ") + duration_words;
  out = duration.value();
  return {};
}

Fault read_seconds(const toml::node& node, std::chrono::seconds& out) {
  Milliseconds value{0};
  Fault fault = read_duration(node, value);
  if (fault.empty()) out = std::chrono::ceil<std::chrono::seconds>(value);
  return fault;
}

Fault read_limit(const toml::node& node, DeleteLimit& out) {
  std::string text;
  if (const auto value = node.value_exact<std::string>()) text = *value;
  if (const auto value = node.value_exact<std::int64_t>()) text = std::to_string(*value);
  const auto limit = parse_delete_limit(text);
  if (!limit) return "must be a count such as 1000 or a share such as \"25%\"";
  out = limit.value();
  return {};
}

template <class Into>
struct Key {
  std::string_view name;
  Fault (*read)(const toml::node&, Into&);
};

constexpr Key<Config> program_keys[] = {
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

constexpr Key<Draft> source_keys[] = {
    {"delete", [](const toml::node& node, Draft& into) { return read_flag(node, into.source.remove); }},
    {"max_delete",
     [](const toml::node& node, Draft& into) { return read_limit(node, into.source.max_delete); }},
    {"filter", [](const toml::node& node, Draft& into) { return read_texts(node, into.filter); }},
    {"include", [](const toml::node& node, Draft& into) { return read_texts(node, into.include); }},
    {"exclude", [](const toml::node& node, Draft& into) { return read_texts(node, into.exclude); }},
    {"include_from", [](const toml::node& node, Draft& into) { return read_texts(node, into.include_from); }},
    {"exclude_from", [](const toml::node& node, Draft& into) { return read_texts(node, into.exclude_from); }},
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
     [](const toml::node& node, Draft& into) { return read_texts(node, into.source.rsync_options); }},
};

constexpr Key<Target> target_keys[] = {
    {"password_file",
     [](const toml::node& node, Target& into) { return read_path(node, into.password_file); }},
    {"ssh", [](const toml::node& node, Target& into) { return read_text(node, into.ssh); }},
    {"rsync_path", [](const toml::node& node, Target& into) { return read_text(node, into.rsync_path); }},
    {"warm", [](const toml::node& node, Target& into) { return read_flag(node, into.warm); }},
};

// Those that a [[source.target]] alone may have.
constexpr Key<Target> own_target_keys[] = {
    {"name", [](const toml::node& node, Target& into) { return read_text(node, into.name); }},
    {"delete", [](const toml::node& node, Target& into) { return read_flag(node, into.remove); }},
    {"rsync_options",
     [](const toml::node& node, Target& into) { return read_texts(node, into.rsync_options); }},
};

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

// "; is it 'KEY'?" where one of `keys` looks like what was written.
template <class Into, std::size_t n>
void suggest(const Key<Into> (&keys)[n], std::string_view written, std::string& words) {
  for (const Key<Into>& key : keys) {
    if (words.empty() && distance(key.name, written) <= 2) words = "; is it '" + std::string(key.name) + "'?";
  }
}

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

  void fail_unknown(const toml::node& node, std::string_view key, const char* where, bool top) {
    std::string hint;
    if (top) suggest(program_keys, key, hint);
    suggest(source_keys, key, hint);
    suggest(target_keys, key, hint);
    if (!top) suggest(own_target_keys, key, hint);
    fail_key(node, key, std::string("is not known ") + where + hint);
  }

  template <class Into, std::size_t n>
  bool take(const Key<Into> (&keys)[n], std::string_view name, const toml::node& node, Into& into) {
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
      if (!known) fail_unknown(node, name, "at the top level", true);
    }
    if (error_) return;
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
        fail_unknown(value, name, "in [[source]]", false);
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
        fail_unknown(value, name, "in [[source.target]]", false);
      }
    }
    if (error_) return;
    if (!to_node) return fail(node.source(), "key 'to' is missing in [[source.target]]");
    const toml::node* password = table->get("password_file");
    add_target(*to_node, "to", to, settings, draft);
    if (password && draft.source.targets.back().kind != Target::Kind::daemon) {
      fail_key(*password, "password_file", "is for daemon targets only (rsync:// or HOST::MODULE)");
    }
  }

  void add_target(const toml::node& node, std::string_view key, const std::string& to, const Target& settings,
                  Draft& draft) {
    auto parsed = parse_target(to);
    if (!parsed) return fail_key(node, key, "'" + to + "': " + parsed.error().detail);
    Target target = std::move(parsed).value();
    if (!settings.name.empty()) target.name = settings.name;
    if (target.kind == Target::Kind::daemon) target.password_file = settings.password_file;
    target.ssh = settings.ssh;
    target.rsync_path = settings.rsync_path;
    target.rsync_options = settings.rsync_options;
    target.warm = settings.warm;
    target.remove = settings.remove;
    const std::string fault = target_fault(draft.source.path, target, draft.source.targets);
    if (!fault.empty()) fail_key(node, key, "'" + to + "' " + fault);
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
