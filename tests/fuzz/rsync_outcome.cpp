// SPDX-License-Identifier: GPL-2.0-or-later
// What rsync may print, on both streams, after any exit status: a verdict, and never more confirmed than was
// asked.
#include "inotifysync/rsync/rsync_outcome.hpp"

#include "input.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest = fuzz::text(data, size);
  if (rest.empty()) return 0;
  const int code = static_cast<unsigned char>(rest.front());
  rest.remove_prefix(1);
  const std::string_view output = fuzz::take(rest, '\0');
  const inotifysync::Step step;
  const auto outcome = inotifysync::judge_rsync(size % 7 == 0, code, output, rest, step);
  fuzz::require(outcome.confirmed.empty());
  fuzz::require(inotifysync::unescape_name(output).size() <= output.size());
  return 0;
}
