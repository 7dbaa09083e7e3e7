// SPDX-License-Identifier: GPL-2.0-or-later
// The text of a configuration file: it is understood, or the error says where and why.
#include "inotifysync/config/config.hpp"
#include "input.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz::text(data, size);
  const auto config = inotifysync::parse_config(text, "file");
  if (!config) fuzz::require(!config.error().detail.empty());
  const auto duration = inotifysync::parse_duration(text);
  if (!duration) fuzz::require(!duration.error().detail.empty());
  (void)inotifysync::parse_delete_limit(text).has_value();
  return 0;
}
