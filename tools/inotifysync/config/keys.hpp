// SPDX-License-Identifier: GPL-2.0-or-later
// Which keys a configuration file may have, where, and who reads them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "inotifysync/config/toml_values.hpp"

namespace inotifysync {

// What stands for every target of a source, or of all, that does not say otherwise.
struct Draft {
  SourceConfig source;
  Target target;
  std::vector<std::string> filter, include, exclude, include_from, exclude_from;
};

template <class Into>
struct Key {
  std::string_view name;
  Fault (*read)(const toml::node&, Into&);
};

// Of the program, at the top; of a source; of a target, or of all targets of a source.
extern const std::vector<Key<Config>> program_keys;
extern const std::vector<Key<Draft>> source_keys;
extern const std::vector<Key<Target>> target_keys;
// Those that a [[source.target]] alone may have.
extern const std::vector<Key<Target>> own_target_keys;

enum class Table { top, source, target };

// What to do about a key that is not known in `table`: "; is it 'KEY'?" where one looks like it, or where it
// belongs. Empty: nobody knows.
std::string key_hint(std::string_view written, Table table);

}  // namespace inotifysync
