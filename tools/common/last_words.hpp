// SPDX-License-Identifier: GPL-2.0-or-later
// The end for want of memory or of a thread: one line, and a status, but never a crash.
#pragma once

#include <new>
#include <string_view>
#include <system_error>

namespace notify_tools {

// "PROGRAM: out of memory" on stderr, whatever is left of it: nothing is allocated for that.
void say_out_of_memory(std::string_view program);
void say_system_error(std::string_view program, const std::system_error& error);

// Returns what `work` returns, or `status` where it could not go on. `program` is argv[0].
template <class Work>
int with_last_words(std::string_view program, int status, Work work) {
  try {
    return work();
  } catch (const std::bad_alloc&) {
    say_out_of_memory(program);
  } catch (const std::system_error& error) {
    say_system_error(program, error);
  }
  return status;
}

}  // namespace notify_tools
