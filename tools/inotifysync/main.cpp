// SPDX-License-Identifier: GPL-2.0-or-later
// inotifysync: keeps targets identical to a source.
#include <fmt/format.h>

#include <csignal>

#include "common/diagnostics.hpp"
#include "common/last_words.hpp"
#include "inotifysync/engine.hpp"
#include "inotifysync/loop/event_loop.hpp"
#include "inotifysync/options.hpp"

namespace {

constexpr int usage_error = 64;   // EX_USAGE
constexpr int system_error = 71;  // EX_OSERR
constexpr int config_error = 78;  // EX_CONFIG

int keep_in_sync(inotifysync::Options options, const notify_tools::Diagnostics& say) {
  auto log = inotifysync::Log::create(inotifysync::log_style(options.config));
  if (!log) {
    say.say("{}: {}: {}", say.program(), log.error().path, notify_tools::reason(log.error()));
    return 1;
  }
  const bool dry_run = options.dry_run;
  auto engine = inotifysync::Engine::create(std::move(options), std::move(*log));
  if (!engine) {
    say.say("{}: {}: {}", say.program(), engine.error().path, notify_tools::reason(engine.error()));
    return 1;
  }
  if (!dry_run) return (*engine)->run();
  (*engine)->print_dry_run();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  // A source may be large. Who asks before it is watched is answered then.
  inotifysync::EventLoop::hold_signals({SIGHUP, SIGUSR1});
  notify_tools::open_missing_standard_streams();
  std::signal(SIGPIPE, SIG_IGN);  // children that end early are told apart by their exit, not by our death
  std::signal(SIGXFSZ, SIG_IGN);  // a log that has grown to its limit is an error to be told
  // Whoever started us may have ignored it, and nobody could say then how a child ended (wait(2)).
  std::signal(SIGCHLD, SIG_DFL);
  const notify_tools::Diagnostics say(argc > 0 ? argv[0] : "inotifysync");
  inotifysync::Options options = inotifysync::read_options(argc, argv);
  if (options.help) {
    fmt::print("{}", inotifysync::help_text());
    return 0;
  }
  if (options.version) {
    fmt::print("inotifysync {}\n", INOTIFYSYNC_VERSION);
    return 0;
  }
  if (!options.error.empty()) {
    say.say(std::string_view(fmt::format("{}: {}", say.program(), options.error)));
    return options.file_is_wrong ? config_error : usage_error;
  }
  return notify_tools::with_last_words(say.program(), system_error,
                                       [&] { return keep_in_sync(std::move(options), say); });
}
