// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/last_words.hpp"

#include <unistd.h>

#include "sys/syscall.hpp"

namespace notify_tools {
namespace {

void say(std::string_view program, std::string_view words) {
  for (const std::string_view part :
       {program.substr(program.rfind('/') + 1), std::string_view(": "), words, std::string_view("\n")}) {
    notify_core::sys::write_all(STDERR_FILENO, part);
  }
}

}  // namespace

void say_out_of_memory(std::string_view program) {
  say(program, "out of memory");
}

void say_system_error(std::string_view program, const std::system_error& error) {
  say(program, error.what());
}

}  // namespace notify_tools
