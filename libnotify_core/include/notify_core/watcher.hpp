// SPDX-License-Identifier: GPL-2.0-or-later
// Watches files and trees of directories and hands on what happens to them, under the path each has at that
// moment. One thread at a time may use a Watcher; the thread that a recursive add() starts ends before it
// returns.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "notify_core/error.hpp"
#include "notify_core/event.hpp"
#include "notify_core/export.hpp"

namespace notify_core {

enum class Backend {
  inotify,              // one watch a directory
  fanotify,             // one fanotify mark a directory
  fanotify_filesystem,  // one mark for the whole filesystem of each operand
};

struct WatcherOptions {
  Backend backend = Backend::inotify;
  // What the kernel is asked for and the sink is handed. What the kernel says unasked comes, too: unmount,
  // q_overflow and ignored.
  EventMask mask = mask::all_events;
  bool recursive = false;    // watch the directories below each operand too
  bool follow_tree = false;  // with recursive: keep up with directories born, moved and lost later
  // With follow_tree: ask the kernel for births and moves whether `mask` has them or not. If not, what `mask`
  // leaves out is not kept up with: without create newborn directories stay unwatched, without moves names
  // stay old.
  bool follow_unasked = true;
  // An operand that is a symbolic link stands for what it points to. A directory watched with all below
  // always does.
  bool follow_symlinks = true;
  bool recover = true;  // report what the kernel could not: entries found in directories born under watch
  bool gather =
      false;  // under load, pause for a fraction of a millisecond so that one read brings many events
  // A wait() without a timeout may rest in read(2), which costs one system call fewer. A signal ends such a
  // wait only if its handler was installed without SA_RESTART.
  bool rest_in_read = false;
  bool stamp = true;  // fill Event::time
  // fanotify_filesystem: report only what lies under the operands. If not: all of its filesystem, where an
  // operand is a mount point.
  bool below_only = true;
  // Where the backend knows who did it (fanotify): fill Event::program; and never report what these do. Names
  // are those of /proc/PID/comm, which the kernel cuts after 15 bytes.
  bool name_programs = false;
  std::vector<std::int32_t> ignored_processes{};
  std::vector<std::string> ignored_programs{};
  std::vector<std::string> excluded_paths{};  // not watched when found below an operand, nor anything below
                                              // them; compared as strings, a final '/' aside
  // Asked with the path of a directory (ending in '/') found below an operand; true: it and all below go
  // unwatched. add() asks in a thread of its own, one question at a time; where there is nothing to ask, two
  // threads walk a large tree. May be empty.
  std::function<bool(std::string_view directory)> prune{};
};

// Something a person may want to know, apart from the events.
struct Notice {
  enum class Kind {
    new_directory,      // follow_tree: a directory born or moved in is now watched; `path` ends in '/'
    watch_deleted,      // the watch of `path` ended: deleted or unmounted
    watch_moved_out,    // the watch of `path` ended: moved to where nothing is watched
    overflow,           // the kernel's queue overflowed: events were lost, the tree is being read again
    overflow_repaired,  // the tree was read again and every directory is watched
    watch_failed,       // `path` could not be watched: `error` says why (ENOSPC: the limit of watches)
    events_lost,        // fanotify: `count` events were of directories that nothing leads to any more
    astray,             // the operand `path` has moved, or something above it: what is made in it is not
                        // watched before it is under its name again, and found then
  };
  Kind kind;
  std::string_view path;    // valid until the sink returns
  std::uint32_t watch = 0;  // which watch, for new_directory and those that ended
  const Error* error = nullptr;
  std::size_t count = 0;
};

class NOTIFY_API EventSink {
 public:
  virtual ~EventSink() = default;
  // Returns false to stop: nothing further is handed on by this call of wait() or dispatch(), and what is
  // left is by the next one.
  virtual bool on_event(const Event& event) = 0;
  // Of what was read at once, all has been handed on, and there is no reason to expect more at this moment:
  // time to pass on what was gathered, before the watcher sees to its own affairs.
  virtual void on_batch_end() {}
  virtual void on_notice(const Notice& notice) { (void)notice; }
};

// An exception that a sink throws leaves the call, and what was read and not handed on yet is lost.
// From within a sink or `on_unreadable`, add(), wait() and dispatch() fail with EBUSY, and the watcher must
// be neither moved nor destroyed: return false from on_event() and do it then.
class NOTIFY_API Watcher {
 public:
  static Result<Watcher> create(WatcherOptions options);
  Watcher(Watcher&&) noexcept;  // what was moved from may be destroyed or assigned to, no more
  Watcher& operator=(Watcher&&) noexcept;
  ~Watcher();

  // Watches `path`, and what is below it where asked. EINVAL: there is a NUL in it. What vanishes while the
  // tree is read is no error. A failure below (EACCES: unreadable directory) ends the call only where it
  // would leave the operand itself unwatched, or a limit is reached (ENOSPC: out of watches; EMFILE, ENFILE:
  // out of descriptors); else `on_unreadable` is told and the rest goes on. What was watched when a limit was
  // reached stays watched; the next add() of the same path takes up the rest.
  Result<void> add(std::string_view path, const std::function<void(const Error&)>& on_unreadable = {});

  enum class Wait {
    events,       // at least one event was read, wanted or not
    timed_out,    // nothing came within the timeout
    interrupted,  // a signal arrived first (EINTR)
    stopped,      // the sink said stop
  };
  // Waits until something happens, at most `timeout` (none: for ever; below zero: not at all), and hands it
  // on.
  Result<Wait> wait(std::optional<std::chrono::nanoseconds> timeout, EventSink& sink);

  // For programs with a loop of their own: descriptor() becomes readable when dispatch() has something to do,
  // and dispatch() must be called again no later than after next_timeout(), where that is given. dispatch()
  // never blocks; it returns timed_out when there was nothing.
  int descriptor() const;
  std::optional<std::chrono::nanoseconds> next_timeout() const;
  Result<Wait> dispatch(EventSink& sink);

  std::size_t watch_count() const;
  // Paths of all live watches, in order of watching.
  void for_each_watch(const std::function<void(std::uint32_t watch, std::string_view path)>& visit) const;

 private:
  friend struct WatcherInside;  // the library's own tests
  class Impl;
  class FilesystemImpl;
  explicit Watcher(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace notify_core
