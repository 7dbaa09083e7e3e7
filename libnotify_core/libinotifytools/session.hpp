// SPDX-License-Identifier: GPL-2.0-or-later
// What lies between inotifytools_initialize() and inotifytools_cleanup(): a backend, the watches set up, the
// events not yet taken. Calls return 0 or more, or minus the errno.
#pragma once

#include <sys/inotify.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "backend/backend.hpp"
#include "libinotifytools/watch_table.hpp"
#include "notify_core/error.hpp"

namespace notify_core::inotifytools {

class Session {
 public:
  enum class Source { inotify, fanotify, fanotify_filesystems };
  static Result<std::unique_ptr<Session>> create(Source source);

  // True: events on this path are passed over.
  using Ignores = std::function<bool(const std::string& path)>;

  int watch(const std::string& path, EventMask events);
  // `excluded`: paths of directories that are left out with all below them.
  int watch_below(const std::string& path, EventMask events, const std::vector<std::string>& excluded);
  int remove(int number);

  // The next event, waiting for it at most `seconds` (0 and less: for ever); null where none came, `status`
  // then says why: 0, the time is over. It stays where it is until the next call.
  inotify_event* next(long seconds, const Ignores& ignores, int& status);

  // Null: there is none of that number. A filesystem's mark tells of directories that nobody named; such a
  // one is found, by its absolute path, until the next event.
  ::watch* find(int number);

  WatchTable& watches() { return watches_; }
  void count_from_now();
  const Counts* totals() const { return counting_ ? &totals_ : nullptr; }

 private:
  Session(std::unique_ptr<backend::WatchBackend> backend, Source source)
      : backend_(std::move(backend)), source_(source) {}

  int watch_entries(const std::string& directory, EventMask events, const std::vector<std::string>& excluded);
  int wait_for_events(long seconds);
  bool is_wanted(const backend::Record& record, int number, const Ignores& ignores);
  int number_of(const backend::Record& record);
  int place(int number, std::string name);
  inotify_event* keep(const backend::Record& record, int number);

  std::unique_ptr<backend::WatchBackend> backend_;
  Source source_;
  WatchTable watches_;
  Counts totals_;
  bool counting_ = false;
  EventMask asked_ = 0;               // for any watch
  ::watch place_;                     // where the last event happened, if nobody named it
  std::vector<std::uint64_t> event_;  // the one handed out last
};

}  // namespace notify_core::inotifytools
