// SPDX-License-Identifier: GPL-2.0-or-later
#include "inotifywait/printer.hpp"

namespace notify_tools::inotifywait {

using namespace notify_core;

Printer::Printer(const Options& options, Filter& filter, Format& format, Output& output,
                 const Diagnostics& diagnostics)
    : options_(options), filter_(filter), format_(format), output_(output), diagnostics_(diagnostics) {}

// An event that was not asked for says that what was watched is gone: without --monitor there is nothing left
// to wait for. An overflow says that only of some events.
bool Printer::on_event(const Event& event) {
  if (!filter_.shows(event.watched, event.name)) return true;
  if ((event.mask & options_.events) != 0) {
    print(event);
  } else if (!options_.monitor && (event.mask & mask::q_overflow) == 0) {
    status_ = 1;
  }
  return !status_;
}

void Printer::print(const Event& event) {
  if (options_.quiet < 2) format_.append(output_.buffer(), event);
  if (output_.is_full()) output_.flush();
  ++printed_;
  const bool enough = options_.count != 0 ? printed_ == options_.count : !options_.monitor;
  if (enough) status_ = 0;
}

// What is printed comes first, so that both streams read in order where they end up in one file.
void Printer::on_notice(const Notice& notice) {
  output_.flush();
  switch (notice.kind) {
    case Notice::Kind::new_directory:
      if (options_.quiet == 0) diagnostics_.say("Watching new directory {}", notice.path);
      break;
    case Notice::Kind::overflow:
      if (options_.quiet < 2) {
        diagnostics_.say("{}: the kernel's event queue overflowed: events were lost; reading the tree again",
                         diagnostics_.program());
      }
      break;
    case Notice::Kind::watch_failed:
      tell_failure(notice);
      break;
    case Notice::Kind::watch_deleted:
    case Notice::Kind::watch_moved_out:
    case Notice::Kind::overflow_repaired:
      break;
  }
}

// Said even with -qq: from here on events are missed.
void Printer::tell_failure(const Notice& notice) {
  if (notice.error == nullptr) return;
  const std::string_view slash = notice.path.ends_with('/') ? "" : "/";
  diagnostics_.say("Couldn't watch new directory {}{}: {}", notice.path, slash, reason(*notice.error));
}

}  // namespace notify_tools::inotifywait
