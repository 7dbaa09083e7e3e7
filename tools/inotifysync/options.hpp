// SPDX-License-Identifier: GPL-2.0-or-later
// The command line of inotifysync, as values.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "inotifysync/config/config.hpp"

namespace inotifysync {

struct Options {
  Config config;            // from the command line, or from the file
  std::string config_file;  // empty: none
  // What the command line says about the program, by name and value: it goes before what the file says.
  std::vector<std::pair<std::string, std::string>> program_settings;
  bool once = false;
  bool dry_run = false;
  bool daemon = false;
  bool from_stdin = false;
  bool null = false;  // the paths on stdin end in NUL
  bool help = false;
  bool version = false;
  std::string error;           // what is wrong, one line without the program's name; empty: nothing
  bool file_is_wrong = false;  // ... in the configuration file, not on the command line
};

Options read_options(int argc, const char* const* argv);

// Reads options.config_file: the settings, or what is wrong as one line in `error`.
Config read_config_file(const Options& options, std::string& error);

std::string help_text();

}  // namespace inotifysync
