// SPDX-License-Identifier: GPL-2.0-or-later
// How does the kernel say it? A backend watches directories and files, each under a number of its own, and
// reads what happened as records. It knows no paths and no tree.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "notify_core/event.hpp"

namespace notify_core::backend {

struct Record {
  int watch = -1;  // the number that add() returned; -1 of an overflow
  EventMask mask = 0;
  std::uint32_t cookie = 0;
  std::int32_t pid = 0;
  std::string_view name;  // lies in the backend's buffer until the next fill()
  // The rest is fanotify's alone.
  int target = -1;  // number of the directory that was made, moved or removed; -1: not known; see unwatched
  // Where it happened, if that is no watched directory: an absolute path that ends in '/', until the next
  // next().
  std::string_view directory;
};

// Of Record::target: it was not watched.
inline constexpr int unwatched = -2;

// How add() looks the name up, apart from the events.
enum AddFlags : unsigned {
  add_directory_only = 1,  // ENOTDIR for anything else
  add_no_follow = 2,       // do not follow a symbolic link
  // The events asked for before stay asked for. Without it they are replaced, and inotify loses what happens
  // in that moment: it writes the new mask in two steps, and who queues an event does not wait for the second
  // (inotify_update_existing_watch() in fs/notify/inotify/inotify_user.c).
  add_keep_old_events = 4,
};

// Adds watches: of names in one directory after another.
class WatchPlacer {
 public:
  virtual ~WatchPlacer() = default;

  // Says where the names of the next add() calls are looked up: an open directory. 0 or minus the errno.
  virtual int enter(int directory) = 0;
  // Watches `name` ("." is the directory entered) for `events`. The same object has the same number while it
  // is watched. Returns the number, or minus the errno.
  virtual int add(const char* name, EventMask events, unsigned flags) = 0;
  // True where the directory entered stays the place after its descriptor is closed.
  virtual bool keeps_place() const = 0;
  // From now on the calling thread's working directory may be used to look names up faster, or may not.
  virtual void use_working_directory(bool use) = 0;

  // For errors: the system call that add() makes.
  virtual const char* adding_call() const = 0;
};

class WatchBackend : public WatchPlacer {
 public:
  virtual int descriptor() const = 0;

  // Another one, for another thread, which may not be used longer than this backend. Null: one thread alone
  // can add watches.
  virtual std::unique_ptr<WatchPlacer> another_placer() { return nullptr; }
  // Watches `path`, looked up as the process would.
  virtual int add_path(const char* path, EventMask events, unsigned flags) = 0;
  // Ends a watch. An "ignored" record may or may not follow.
  virtual int remove(int watch) = 0;

  // Is there something to read?
  virtual bool has_queued() const { return false; }
  // Reads what is queued, without waiting: the number of bytes, or minus the errno (EAGAIN: nothing).
  virtual std::ptrdiff_t fill() = 0;
  // The same, but where nothing is queued it waits for that; minus EINTR: a signal came first. Only where
  // can_rest_in_read().
  virtual std::ptrdiff_t fill_when_ready() { return fill(); }
  virtual bool can_rest_in_read() const { return false; }
  // The next record of what was read; false where there is none left.
  virtual bool next(Record& record) = 0;
  // Visits what was read and not handed on yet, in order, until `visit` returns false.
  virtual void visit_unread(const std::function<bool(const Record&)>& visit) { (void)visit; }
  // Counts the reads that brought something: as long as it stays, nothing was added to what is unread.
  virtual std::uint64_t reads() const { return 0; }
  // Reads what has been queued since, to be handed on after that. The names of records handed on before are
  // not valid any more. False: there was nothing, or there is no room for it.
  virtual bool read_on() { return false; }
  // True where the last fill() or read_on() took all that was queued at that moment.
  virtual bool drained() const = 0;
  // How many records the kernel keeps at most before it drops some.
  virtual std::size_t queue_limit() const = 0;

  // Those of `watches` that the kernel has ended, told of or not. It may have to read all there are. Empty
  // where nobody can say.
  virtual std::vector<int> ended(const std::vector<int>& watches) const {
    (void)watches;
    return {};
  }

  // Where a watched object stands now: an absolute path without a final '/'. Empty: the backend cannot say.
  virtual std::string where(int watch) const {
    (void)watch;
    return {};
  }

  // What to ask for the path (ending in '/') of a watched directory; empty: it is not known.
  virtual void ask_for_paths(std::function<std::string(int watch)> path_of) { (void)path_of; }
  // How many events, since this was asked last, could not be handed on, as nothing tells where they happened.
  virtual std::size_t take_lost() { return 0; }

  // What an errno of add() means here; empty: what it says itself.
  virtual std::string explain(int status) const {
    (void)status;
    return {};
  }
};

}  // namespace notify_core::backend
