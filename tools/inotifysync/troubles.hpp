// SPDX-License-Identifier: GPL-2.0-or-later
// What is wrong with the files and directories that a configuration, or a command line, names: one line each,
// without the program's name; empty: nothing.
#pragma once

#include <string>

#include "inotifysync/config/config.hpp"

namespace inotifysync {

std::string words_of(const notify_core::Error& error);

std::string config_file_trouble(const std::string& path);
// Password files, files of patterns, and local directories that may not be what they are meant to be.
// `is_file`: the settings are from a file, whose keys are named instead of the options.
std::string settings_trouble(const Config& config, bool is_file);
// Of the files that the program writes for itself; `watches`: in a source, they would be changes to send.
std::string own_files_trouble(const Config& config, bool watches);

}  // namespace inotifysync
