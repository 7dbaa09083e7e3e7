// SPDX-License-Identifier: GPL-2.0-or-later
// Arguments, each up to a NUL byte, for both programs: an answer or a complaint, and nothing else.
#include "common/command_line.hpp"

#include <vector>

#include "inotifywait/options.hpp"
#include "inotifywatch/options.hpp"
#include "input.hpp"

namespace {

template <class ReadOptions>
void read(std::span<const notify_tools::OptionSpec> specs, const std::vector<const char*>& arguments,
          bool posix, ReadOptions read_options) {
  const auto line = notify_tools::read_command_line(specs, arguments, posix);
  fuzz::require(line.error.find('\0') == std::string::npos);
  const auto reading = read_options(line, "program");
  for (const std::string& complaint : reading.complaints) fuzz::require(!complaint.empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest = fuzz::text(data, size);
  std::vector<std::string> words{"program"};
  while (!rest.empty() && words.size() < 64) words.emplace_back(fuzz::take(rest, '\0'));
  std::vector<const char*> arguments;
  for (const std::string& word : words) arguments.push_back(word.c_str());

  for (const bool posix : {false, true}) {
    read(notify_tools::inotifywait::option_specs(), arguments, posix,
         notify_tools::inotifywait::read_options);
    read(notify_tools::inotifywatch::option_specs(), arguments, posix,
         notify_tools::inotifywatch::read_options);
  }
  return 0;
}
