// SPDX-License-Identifier: GPL-2.0-or-later
#include "libinotifytools/session.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "backend/fanotify_backend.hpp"
#include "backend/inotify_backend.hpp"
#include "sys/syscall.hpp"

namespace notify_core::inotifytools {
namespace {

// What listing a directory makes events of.
constexpr EventMask listing_events = mask::open | mask::access | mask::close_nowrite;
// What the kernel reports unasked.
constexpr EventMask unasked_events = mask::unmount | mask::q_overflow | mask::ignored;

// Stands for a directory that the backend has no number of.
constexpr int nameless_place = 0x40000000;

bool is_directory(const std::string& path, int flags) {
  sys::FileFacts facts;
  return sys::facts_at(AT_FDCWD, path.c_str(), flags, facts) == 0 && S_ISDIR(facts.mode);
}

std::string with_slash(std::string path) {
  if (!path.ends_with('/')) path += '/';
  return path;
}

// Errors that leave one directory of a tree unwatched and no more.
bool is_passed_over(int status) {
  return status == -EACCES || status == -ENOENT || status == -ENOTDIR || status == -ELOOP;
}

// How many bytes the kernel says a name has: with its end, padded to whole headers.
std::size_t padded(std::size_t name) {
  return name == 0 ? 0 : (name / sizeof(inotify_event) + 1) * sizeof(inotify_event);
}

Result<std::unique_ptr<backend::WatchBackend>> make_backend(Session::Source source) {
  if (source == Session::Source::inotify) return backend::InotifyBackend::create();
  const auto scope = source == Session::Source::fanotify ? backend::FanotifyScope::objects
                                                         : backend::FanotifyScope::filesystems;
  auto made = backend::FanotifyBackend::create(scope, mask::all_events);
  if (!made) return std::move(made).error();
  return std::unique_ptr<backend::WatchBackend>(std::move(*made));
}

}  // namespace

Result<std::unique_ptr<Session>> Session::create(Source source) {
  auto made = make_backend(source);
  if (!made) return std::move(made).error();
  return std::unique_ptr<Session>(new Session(std::move(*made), source));
}

int Session::watch(const std::string& path, EventMask events) {
  unsigned flags = 0;
  if (events & IN_DONT_FOLLOW) flags |= backend::add_no_follow;
  if (events & IN_ONLYDIR) flags |= backend::add_directory_only;
  const int added = backend_->add_path(path.c_str(), events, flags);
  if (added < 0) return added;
  const int number = source_ == Source::inotify ? added : added + 1;
  asked_ |= events;
  watches_.add(number, is_directory(path, AT_SYMLINK_NOFOLLOW) ? with_slash(path) : path, events);
  return 0;
}

// A directory is watched before it is listed, so that nothing made in it meanwhile goes unseen; what the
// listing does itself is asked for only afterwards.
int Session::watch_below(const std::string& path, EventMask events,
                         const std::vector<std::string>& excluded) {
  if (!is_directory(path, 0)) return watch(path, events);
  const std::string directory = with_slash(path);
  const EventMask quiet = events & ~listing_events;
  if ((quiet & mask::all_events) != 0 && (quiet & mask::one_shot) == 0) {
    const int status = watch(directory, quiet);
    if (status < 0) return status;
  }
  const int status = watch_entries(directory, events, excluded);
  return status < 0 ? status : watch(directory, events);
}

int Session::watch_entries(const std::string& directory, EventMask events,
                           const std::vector<std::string>& excluded) {
  namespace fs = std::filesystem;
  std::error_code error;
  fs::directory_iterator entry(directory, error);
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    std::error_code vanished;
    if (entry->symlink_status(vanished).type() != fs::file_type::directory) continue;
    const std::string below = directory + entry->path().filename().string();
    if (std::ranges::find(excluded, below) != excluded.end()) continue;
    const int status = watch_below(below, events, excluded);
    if (status < 0 && !is_passed_over(status)) return status;
  }
  return error ? -error.value() : 0;
}

int Session::remove(int number) {
  if (watches_.find(number) == nullptr) return 0;
  watches_.remove(number);
  const int status = backend_->remove(source_ == Source::inotify ? number : number - 1);
  return status == -EINVAL ? 0 : status;  // the kernel has ended it before
}

inotify_event* Session::next(long seconds, const Ignores& ignores, int& status) {
  for (status = 0;;) {
    backend::Record record;
    while (backend_->next(record)) {
      const int number = number_of(record);
      if (!is_wanted(record, number, ignores)) continue;
      if (::watch* watch = find(number); watch != nullptr && counting_) {
        watch->counts.add(record.mask);
        totals_.add(record.mask);
      }
      return keep(record, number);
    }
    status = wait_for_events(seconds);
    if (status <= 0) return nullptr;
  }
}

// 1: there are some; 0: the time is over.
int Session::wait_for_events(long seconds) {
  const std::timespec timeout{seconds, 0};
  for (;;) {
    const int ready = sys::wait_readable(backend_->descriptor(), seconds > 0 ? &timeout : nullptr);
    if (ready <= 0) return ready;
    const std::ptrdiff_t filled = backend_->fill();
    if (filled > 0) return 1;
    if (filled != -EAGAIN) return filled < 0 ? static_cast<int>(filled) : -EIO;
  }
}

bool Session::is_wanted(const backend::Record& record, int number, const Ignores& ignores) {
  if (source_ != Source::inotify) {  // its marks ask for all events
    const ::watch* watch = watches_.find(number);
    const EventMask asked = watch != nullptr ? watch->events : asked_;
    if ((record.mask & (asked | unasked_events) & ~EventMask{mask::is_directory}) == 0) return false;
  }
  if (!ignores) return true;
  const ::watch* watch = find(number);
  std::string path = watch != nullptr ? watch->name : std::string();
  return !ignores(path.append(record.name));
}

int Session::number_of(const backend::Record& record) {
  if (source_ == Source::inotify) return record.watch;
  if (record.watch < 0) {
    return record.directory.empty() ? -1 : place(nameless_place, std::string(record.directory));
  }
  const int number = record.watch + 1;
  if (watches_.find(number) == nullptr && source_ == Source::fanotify_filesystems) {
    const std::string path = backend_->where(record.watch);
    if (!path.empty()) return place(number, with_slash(path));
  }
  return number;
}

int Session::place(int number, std::string name) {
  place_ = {};
  place_.number = number;
  place_.name = std::move(name);
  return number;
}

::watch* Session::find(int number) {
  ::watch* watch = watches_.find(number);
  return watch != nullptr || place_.number != number || number < 0 ? watch : &place_;
}

void Session::count_from_now() {
  counting_ = true;
  totals_ = {};
  watches_.reset_counts();
}

inotify_event* Session::keep(const backend::Record& record, int number) {
  const std::size_t size = sizeof(inotify_event) + padded(record.name.size());
  event_.assign(size / sizeof(std::uint64_t) + 1, 0);
  auto* event = reinterpret_cast<inotify_event*>(event_.data());
  event->wd = number;
  event->mask = record.mask;
  event->cookie = record.cookie;
  event->len = static_cast<std::uint32_t>(padded(record.name.size()));
  std::memcpy(event->name, record.name.data(), record.name.size());
  return event;
}

}  // namespace notify_core::inotifytools
