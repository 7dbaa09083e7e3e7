// SPDX-License-Identifier: GPL-2.0-or-later
// Values of a configuration file. Each reader takes one and says what it must be; empty: it is.
#pragma once

#include <toml++/toml.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "inotifysync/config/config.hpp"

namespace inotifysync {

using Fault = std::string;

Fault read_text(const toml::node& node, std::string& out);
Fault read_path(const toml::node& node, std::string& out);
Fault read_flag(const toml::node& node, bool& out);
Fault read_flag(const toml::node& node, std::optional<bool>& out);
Fault read_watching(const toml::node& node, Watching& out);
Fault read_texts(const toml::node& node, std::vector<std::string>& out);
// Each of which `fault_of` must have nothing to say about.
Fault read_texts(const toml::node& node, std::vector<std::string>& out, Fault (*fault_of)(std::string_view));
Fault read_paths(const toml::node& node, std::vector<std::string>& out);
Fault read_rsync_options(const toml::node& node, std::vector<std::string>& out);
Fault read_number(const toml::node& node, std::int64_t low, std::int64_t high, std::int64_t& out);
Fault read_duration(const toml::node& node, Milliseconds& out);
Fault read_seconds(const toml::node& node, std::chrono::seconds& out);
Fault read_limit(const toml::node& node, DeleteLimit& out);

}  // namespace inotifysync
