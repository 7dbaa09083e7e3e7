// SPDX-License-Identifier: GPL-2.0-or-later
// The C face. Its state is the process's, as the functions leave no other way; it is all in `state` below.
#include "inotifytools/inotifytools.h"

#include <fcntl.h>
#include <regex.h>

#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "libinotifytools/event_words.hpp"
#include "libinotifytools/printing.hpp"
#include "libinotifytools/session.hpp"
#include "sys/syscall.hpp"

using notify_core::Event;
using notify_core::EventMask;
using notify_core::inotifytools::Printed;
using notify_core::inotifytools::Session;

namespace sys = notify_core::sys;
namespace inner = notify_core::inotifytools;

namespace {

class Pattern {
 public:
  Pattern(const char* text, int flags) : status_(::regcomp(&compiled_, text, flags | REG_NOSUB)) {}
  Pattern(const Pattern&) = delete;
  Pattern& operator=(const Pattern&) = delete;
  ~Pattern() {
    if (is_valid()) ::regfree(&compiled_);
  }
  bool is_valid() const { return status_ == 0; }
  bool matches(const std::string& path) const {
    return ::regexec(&compiled_, path.c_str(), 0, nullptr, 0) == 0;
  }

 private:
  regex_t compiled_{};
  int status_;
};

struct State {
  std::unique_ptr<Session> session;
  int error = 0;
  Session::Ignores ignores;
  std::optional<std::string> time_format;
  std::string names;  // what event_to_str() returned last
};

State& state() {
  static State only;
  return only;
}

// What went wrong is kept for inotifytools_error(); nothing thrown leaves.
template <class Call>
int attempt(Call call) {
  int status = -ENOMEM;
  try {
    status = call();
  } catch (const std::bad_alloc&) {
  } catch (...) {
    status = -EIO;
  }
  state().error = status < 0 ? -status : 0;
  return status < 0 ? 0 : 1;
}

// Of what cannot fail but for a lack of memory; the last error stays.
template <class Call>
void unless_out_of_memory(Call call) {
  try {
    call();
  } catch (...) {
  }
}

// As attempt(), of what needs inotifytools_initialize().
template <class Call>
int attempt_in_session(Call call) {
  return attempt([&] { return state().session ? call(*state().session) : -EBADF; });
}

EventMask bits(int events) {
  return static_cast<EventMask>(events);
}

watch* find_watch(int wd) {
  return state().session ? state().session->find(wd) : nullptr;
}

watch* find_watch(const char* name) {
  return state().session && name != nullptr ? state().session->watches().find(std::string_view(name))
                                            : nullptr;
}

// A directory to leave out, with or without its slash.
std::string without_slash(std::string path) {
  if (path.size() > 1 && path.ends_with('/')) path.pop_back();
  return path;
}

int ignore_events(const char* pattern, int flags, bool inverted) {
  return attempt([&]() -> int {
    state().ignores = nullptr;
    if (pattern == nullptr) return 0;
    const auto compiled = std::make_shared<Pattern>(pattern, flags);
    if (!compiled->is_valid()) return -EINVAL;
    state().ignores = [compiled, inverted](const std::string& path) {
      return compiled->matches(path) != inverted;
    };
    return 0;
  });
}

// The count in `counts` that `event` stands for.
int count_of(const notify_core::Counts* counts, int event) {
  if (counts == nullptr) return -1;
  if (event == 0) return static_cast<int>(counts->total);
  for (std::size_t i = 0; i < notify_core::counted_events.size(); ++i) {
    if (notify_core::counted_events[i] == bits(event)) return static_cast<int>(counts->of[i]);
  }
  return -1;
}

int count_of(const watch* watch, int event) {
  const bool counting = state().session && state().session->totals() != nullptr;
  return watch != nullptr && counting ? count_of(&watch->counts, event) : -1;
}

int limit(const char* name) {
  const std::string path = std::string("/proc/sys/fs/inotify/") + name;
  const sys::Fd file(sys::open_at(AT_FDCWD, path.c_str(), O_RDONLY));
  char text[32];
  const std::ptrdiff_t size = file ? sys::read(file.get(), text, sizeof text) : 0;
  int value = -1;
  if (size > 0) std::from_chars(text, text + size, value);
  return value;
}

Event shown(const inotify_event& event) {
  Event out;
  out.mask = event.mask;
  out.cookie = event.cookie;
  out.watched = inotifytools_filename_from_wd(event.wd);
  if (event.len > 0) out.name = event.name;
  out.time = sys::now(CLOCK_REALTIME);
  return out;
}

}  // namespace

int inotifytools_initialize() {
  return inotifytools_init(0, 0, 0);
}

int inotifytools_init(int fanotify, int watch_filesystem, int verbose) {
  (void)verbose;
  return attempt([&]() -> int {
    if (state().session) return 0;
    const auto source = fanotify == 0           ? Session::Source::inotify
                        : watch_filesystem == 0 ? Session::Source::fanotify
                                                : Session::Source::fanotify_filesystems;
    auto made = Session::create(source);
    if (!made) return made.error().number != 0 ? -made.error().number : -EINVAL;
    state().session = std::move(*made);
    return 0;
  });
}

void inotifytools_cleanup() {
  state().session.reset();
  state().ignores = nullptr;
  state().time_format.reset();
  state().error = 0;
}

int inotifytools_error() {
  return state().error;
}

int inotifytools_watch_file(const char* filename, int events) {
  return attempt_in_session([&](Session& session) { return session.watch(filename, bits(events)); });
}

int inotifytools_watch_files(INOTIFYTOOLS_LIST filenames, int events) {
  return attempt_in_session([&](Session& session) {
    for (auto name = filenames; *name != nullptr; ++name) {
      const int status = session.watch(*name, bits(events));
      if (status < 0) return status;
    }
    return 0;
  });
}

int inotifytools_watch_recursively(const char* path, int events) {
  return inotifytools_watch_recursively_with_exclude(path, events, nullptr);
}

int inotifytools_watch_recursively_with_exclude(const char* path, int events,
                                                INOTIFYTOOLS_LIST exclude_list) {
  return attempt_in_session([&](Session& session) {
    std::vector<std::string> excluded;
    for (auto name = exclude_list; name != nullptr && *name != nullptr; ++name)
      excluded.push_back(without_slash(*name));
    return session.watch_below(path, bits(events), excluded);
  });
}

int inotifytools_remove_watch_by_wd(int wd) {
  return attempt_in_session([&](Session& session) { return session.remove(wd); });
}

int inotifytools_remove_watch_by_filename(const char* filename) {
  const watch* found = find_watch(filename);
  return inotifytools_remove_watch_by_wd(found != nullptr ? found->number : -1);
}

int inotifytools_get_num_watches() {
  return state().session ? static_cast<int>(state().session->watches().size()) : 0;
}

int inotifytools_wd_from_filename(const char* filename) {
  const watch* found = find_watch(filename);
  return found != nullptr ? found->number : -1;
}

const char* inotifytools_filename_from_wd(int wd) {
  return inotifytools_filename_from_watch(find_watch(wd));
}

const char* inotifytools_filename_from_watch(watch* w) {
  return w != nullptr ? w->name.c_str() : "";
}

void inotifytools_set_filename_by_wd(int wd, const char* filename) {
  if (!state().session) return;
  unless_out_of_memory([&] { state().session->watches().rename(wd, filename); });
}

void inotifytools_set_filename_by_filename(const char* oldname, const char* newname) {
  if (const watch* found = find_watch(oldname)) inotifytools_set_filename_by_wd(found->number, newname);
}

void inotifytools_replace_filename(const char* oldname, const char* newname) {
  if (oldname == nullptr || newname == nullptr || *oldname == '\0' || *newname == '\0') return;
  if (!state().session) return;
  unless_out_of_memory([&] { state().session->watches().replace_prefix(oldname, newname); });
}

inotify_event* inotifytools_next_event(long timeout) {
  return inotifytools_next_events(timeout, 1);
}

inotify_event* inotifytools_next_events(long timeout, int num_events) {
  inotify_event* event = nullptr;
  if (num_events < 1) return event;
  attempt_in_session([&](Session& session) {
    int status = 0;
    event = session.next(timeout, state().ignores, status);
    return status;
  });
  return event;
}

int inotifytools_ignore_events_by_regex(const char* pattern, int flags) {
  return ignore_events(pattern, flags, false);
}

int inotifytools_ignore_events_by_inverted_regex(const char* pattern, int flags) {
  return ignore_events(pattern, flags, true);
}

const char* inotifytools_dirname_from_event(inotify_event* event, size_t* dirnamelen) {
  const char* name = inotifytools_filename_from_wd(event->wd);
  *dirnamelen = std::strlen(name);
  return name;
}

const char* inotifytools_filename_from_event(inotify_event* event, const char** eventname,
                                             size_t* dirnamelen) {
  *eventname = event->len > 0 ? event->name : "";
  return inotifytools_dirname_from_event(event, dirnamelen);
}

char* inotifytools_dirpath_from_event(inotify_event* event) {
  const char* directory = inotifytools_filename_from_wd(event->wd);
  if ((event->mask & IN_ISDIR) == 0 || *directory == '\0') return nullptr;
  if (event->len == 0) return ::strdup(directory);
  char* path = nullptr;
  return ::asprintf(&path, "%s%s/", directory, event->name) >= 0 ? path : nullptr;
}

int inotifytools_str_to_event(const char* event) {
  return inotifytools_str_to_event_sep(event, ',');
}

int inotifytools_str_to_event_sep(const char* event, char sep) {
  return event != nullptr ? inner::bits_of(event, sep) : 0;
}

char* inotifytools_event_to_str(int events) {
  return inotifytools_event_to_str_sep(events, ',');
}

char* inotifytools_event_to_str_sep(int events, char sep) {
  unless_out_of_memory([&] { state().names = inner::names_of(bits(events), sep); });
  return state().names.data();
}

int inotifytools_printf(inotify_event* event, const char* fmt) {
  return inotifytools_fprintf(stdout, event, fmt);
}

int inotifytools_fprintf(FILE* file, inotify_event* event, const char* fmt) {
  nstring text;
  text.len = 0;
  const int length = inotifytools_sprintf(&text, event, fmt);
  std::fwrite(text.buf, 1, text.len, file);
  return length;
}

int inotifytools_sprintf(nstring* out, inotify_event* event, const char* fmt) {
  return inotifytools_snprintf(out, MAX_STRLEN, event, fmt);
}

int inotifytools_snprintf(nstring* out, int size, inotify_event* event, const char* fmt) {
  out->len = 0;
  if (fmt == nullptr || size > MAX_STRLEN || std::strlen(fmt) > MAX_STRLEN) return -1;
  int length = -1;
  unless_out_of_memory([&] {
    const std::string* time_format = state().time_format ? &*state().time_format : nullptr;
    const std::span<char> room(out->buf, size > 0 ? static_cast<std::size_t>(size) : 0);
    const Printed printed = inner::print(room, fmt, shown(*event), time_format);
    if (printed.complete) out->len = static_cast<unsigned>(printed.used);
    length = static_cast<int>(printed.used) - (printed.complete ? 1 : 0);
  });
  return length;
}

void inotifytools_set_printf_timefmt(const char* fmt) {
  state().time_format.reset();
  if (fmt != nullptr) unless_out_of_memory([&] { state().time_format = fmt; });
}

void inotifytools_initialize_stats() {
  if (state().session) state().session->count_from_now();
}

int inotifytools_get_stat_by_wd(int wd, int event) {
  return count_of(find_watch(wd), event);
}

int inotifytools_get_stat_by_filename(const char* filename, int event) {
  return count_of(find_watch(filename), event);
}

int inotifytools_get_stat_total(int event) {
  return state().session ? count_of(state().session->totals(), event) : -1;
}

int inotifytools_get_max_queued_events() {
  return limit("max_queued_events");
}

int inotifytools_get_max_user_instances() {
  return limit("max_user_instances");
}

int inotifytools_get_max_user_watches() {
  return limit("max_user_watches");
}
