// SPDX-License-Identifier: GPL-2.0-or-later
// inotifywatch: counts what happens to files, and shows the counts as a table. By a name that begins with
// "fsnotify" it watches through fanotify.
#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "common/diagnostics.hpp"
#include "common/last_words.hpp"
#include "common/limits.hpp"
#include "common/path_list.hpp"
#include "inotifywatch/collection.hpp"
#include "inotifywatch/loop/signals.hpp"
#include "inotifywatch/options.hpp"
#include "notify_core/filter.hpp"
#include "notify_core/watcher.hpp"
#include "sys/syscall.hpp"

namespace {

using namespace notify_core;
using namespace notify_tools;
using namespace notify_tools::inotifywatch;

// While the watches are set up there is nothing to show yet: the first interrupt says so, the second ends the
// program, wherever it is.
std::function<void(int)> interrupted_too_early(const Diagnostics& diagnostics) {
  return [&diagnostics, already = false](int) mutable {
    if (already) {
      diagnostics.say("No statistics collected, asked to abort before all watches could be established.");
      ::_exit(EXIT_FAILURE);
    }
    already = true;
    diagnostics.say("No statistics have been collected because I haven't finished establishing");
    diagnostics.say("inotify watches yet.  If you are sure you want me to exit, interrupt me again.");
  };
}

Result<Filter> make_filter(const Options& options) {
  if (!options.pattern) return Filter();
  return Filter::create(options.pattern->text, options.pattern->shows, options.pattern->ignore_case);
}

// Names from the file come before the operands, as ever.
PathList gather_paths(const Options& options, const Diagnostics& diagnostics) {
  PathList paths;
  if (options.from_file) {
    const Result<void> read = paths.add_file(*options.from_file);
    if (!read) diagnostics.say("Couldn't open {}: {}", *options.from_file, reason(read.error()));
  }
  for (const std::string& operand : options.operands) paths.add(operand);
  return paths;
}

WatcherOptions watcher_options(const Options& options, const Filter& filter, const PathList& paths) {
  WatcherOptions result;
  result.backend = options.backend;
  result.mask = options.events;
  result.recursive = options.recursive;
  result.follow_tree = options.recursive;
  result.follow_unasked = false;
  result.follow_symlinks = options.follow_symlinks;
  result.recover = false;
  result.below_only = false;
  result.excluded_paths = paths.excluded;
  // With -z and -v it shows which directories are watched.
  if (options.pattern && !options.zero && !options.verbose) {
    result.prune = [&filter](std::string_view directory) { return filter.hides_all_below(directory); };
  }
  return result;
}

void say_not_started(const Diagnostics& diagnostics, const Options& options, const Error& error) {
  const bool inotify = options.backend == Backend::inotify;
  diagnostics.say("Couldn't initialize {}: {}", inotify ? "inotify" : "fanotify", reason(error));
  if (!inotify || error.number != EMFILE) return;
  if (const std::string hint = descriptor_hint(); !hint.empty()) {
    diagnostics.say(std::string_view(hint));
  } else {
    diagnostics.say("Try increasing the value of /proc/sys/fs/inotify/max_user_instances");
    say_use(diagnostics, Limit::instances);
  }
}

void say_not_watched(const Diagnostics& diagnostics, const Options& options, const std::string& path,
                     const Error& error) {
  if (error.number == ENOSPC) {
    diagnostics.say("Failed to watch {}; upper limit on inotify watches reached!", path);
    diagnostics.say(
        "Please increase the amount of inotify watches allowed per user via "
        "`/proc/sys/fs/inotify/max_user_watches'.");
    say_use(diagnostics, Limit::watches);
  } else if (options.backend == Backend::fanotify_filesystem) {
    diagnostics.say("Couldn't add filesystem watch {}: {}", path, reason(error));
  } else {
    diagnostics.say("Failed to watch {}: {}", path, reason(error));
  }
}

// Watches as they were ever counted: what is given under two names counts twice, though it is watched once.
// (Of a tree below, which was watched already, only the top is counted again.) What an earlier operand holds,
// by the name that it has there, is the same name.
class WatchCount {
 public:
  WatchCount(const Watcher& watcher, bool recursive) : watcher_(watcher), recursive_(recursive) {}

  void added(std::string_view path) {
    if (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
    const std::size_t now = watcher_.watch_count();
    if (names_.insert(path).second && now == before_ && !is_held_by_earlier(path)) ++again_;
    before_ = now;
  }
  std::size_t total() const { return watcher_.watch_count() + again_; }

 private:
  bool is_held_by_earlier(std::string_view path) const {
    for (auto end = path.find('/', 1); recursive_ && end != path.npos; end = path.find('/', end + 1))
      if (names_.contains(path.substr(0, end))) return true;
    return false;
  }

  const Watcher& watcher_;
  bool recursive_;
  std::set<std::string_view> names_;
  std::size_t before_ = 0;
  std::size_t again_ = 0;
};

bool watch_all(const Diagnostics& diagnostics, const Options& options, const PathList& paths,
               Watcher& watcher) {
  WatchCount count(watcher, options.recursive);
  const bool filesystem = options.backend == Backend::fanotify_filesystem;
  const bool tell = options.verbose && options.recursive && !filesystem;
  if (filesystem) diagnostics.say("Setting up filesystem watch on {}", paths.watched.front());
  for (const std::string& path : paths.watched) {
    if (tell) diagnostics.say("Setting up watch(es) on {}", path);
    const Result<void> added = watcher.add(path, [&](const Error& error) {
      if (error.number != EACCES) diagnostics.say("Couldn't watch all of {}: {}", error.path, reason(error));
    });
    if (!added) {
      say_not_watched(diagnostics, options, path, added.error());
      return false;
    }
    if (tell) diagnostics.say("OK, {} is now being watched.", path);
    count.added(path);
  }
  if (options.verbose) diagnostics.say("Total of {} watches.", count.total());
  return true;
}

int fail(const Diagnostics& diagnostics, const Error& error) {
  diagnostics.say("{}: {}: {}", diagnostics.program(), error.call, reason(error));
  return EXIT_FAILURE;
}

// Everything up to "Finished establishing watches"; nothing after it said what is wrong.
std::optional<Watcher> set_up(const Diagnostics& diagnostics, const Options& options, const Filter& filter) {
  const PathList paths = gather_paths(options, diagnostics);
  if (paths.watched.empty()) {
    diagnostics.say("No files specified to watch!");
    return std::nullopt;
  }
  Result<Watcher> watcher = Watcher::create(watcher_options(options, filter, paths));
  if (!watcher) {
    say_not_started(diagnostics, options, watcher.error());
    return std::nullopt;
  }
  diagnostics.say("Establishing watches...");
  if (!watch_all(diagnostics, options, paths, *watcher)) return std::nullopt;
  return std::move(watcher).value();
}

int run(const Diagnostics& diagnostics, const Options& options) {
  const Result<Filter> filter = make_filter(options);
  if (!filter) {
    const bool include = options.pattern->shows == Filter::Shows::matching;
    diagnostics.say("Error in `{}' regular expression.", include ? "include" : "exclude");
    return EXIT_FAILURE;
  }
  Result<Signals> interrupt = Signals::create({SIGINT});
  if (!interrupt) return fail(diagnostics, interrupt.error());
  std::optional<Watcher> watcher;
  {
    const Result<SignalThread> thread = SignalThread::create(*interrupt, interrupted_too_early(diagnostics));
    if (!thread) return fail(diagnostics, thread.error());
    watcher = set_up(diagnostics, options, *filter);
  }
  if (!watcher) return EXIT_FAILURE;
  // Only now do the others have something to show; until here they end the program.
  Result<Signals> signals = Signals::create({SIGINT, SIGTERM, SIGHUP, SIGUSR1});
  if (!signals) return fail(diagnostics, signals.error());
  diagnostics.say("Finished establishing watches, now collecting statistics.");
  if (options.verbose && options.timeout != 0) {
    diagnostics.say("Will listen for events for {} seconds.", options.timeout);
  }
  const Result<void> collected = Collection(options, *filter, diagnostics, *watcher, *signals).run();
  return collected ? EXIT_SUCCESS : fail(diagnostics, collected.error());
}

}  // namespace

int main(int argc, char** argv) {
  open_missing_standard_streams();
  const Diagnostics diagnostics(argc > 0 ? argv[0] : "inotifywatch");
  const CommandLine line = read_command_line(option_specs(), argc, argv);
  const Reading reading = read_options(line, diagnostics.program());
  if (reading.help) {
    sys::write_all(STDOUT_FILENO, help_text(diagnostics.program(), NOTIFY_TOOLS_VERSION));
    return EXIT_FAILURE;
  }
  for (const std::string& complaint : reading.complaints) diagnostics.say(std::string_view(complaint));
  if (!reading.complaints.empty()) return EXIT_FAILURE;
  return with_last_words(diagnostics.program(), EXIT_FAILURE,
                         [&] { return run(diagnostics, reading.options); });
}
