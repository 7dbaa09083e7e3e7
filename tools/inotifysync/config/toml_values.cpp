// SPDX-License-Identifier: GPL-2.0-or-later
#include "inotifysync/config/toml_values.hpp"

#include <sstream>

#include "inotifysync/config/rules.hpp"

namespace inotifysync {

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

Fault read_texts(const toml::node& node, std::vector<std::string>& out, Fault (*fault_of)(std::string_view)) {
  Fault fault = read_texts(node, out);
  for (const std::string& text : out) {
    if (fault.empty()) fault = fault_of(text);
  }
  return fault;
}

Fault read_paths(const toml::node& node, std::vector<std::string>& out) {
  return read_texts(node, out, [](std::string_view path) {
    return path.front() == '/' ? Fault() : "'" + std::string(path) + "' must be an absolute path";
  });
}

Fault read_rsync_options(const toml::node& node, std::vector<std::string>& out) {
  Fault fault = read_texts(node, out);
  return fault.empty() ? rsync_options_fault(out) : fault;
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

}  // namespace inotifysync
