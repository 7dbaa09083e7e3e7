// SPDX-License-Identifier: GPL-2.0-or-later
#include "notify_core/notify_core.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>
#include <memory>
#include <new>
#include <optional>
#include <string>

#include "event/event_mask.hpp"
#include "notify_core/watcher.hpp"

using notify_core::Error;
using notify_core::Event;
using notify_core::Notice;
using notify_core::Result;
using notify_core::Watcher;
using notify_core::WatcherOptions;

struct notify_watcher {
  explicit notify_watcher(Watcher made) : watcher(std::move(made)) {}

  Watcher watcher;
  std::string error;
  notify_on_notice on_notice = nullptr;
  void* notice_context = nullptr;
};

namespace {

// Nothing thrown may leave: what is caught here can only be a lack of memory.
template <class Call>
auto guarded(Call call) -> decltype(call()) {
  try {
    return call();
  } catch (const std::bad_alloc&) {
    return -ENOMEM;
  } catch (...) {
    return -EIO;
  }
}

int remember(notify_watcher& watcher, const Error& error) {
  watcher.error = error.call;
  if (!error.path.empty()) watcher.error += " " + error.path;
  watcher.error += ": ";
  watcher.error += error.detail.empty() ? std::strerror(error.number) : error.detail.c_str();
  return error.number != 0 ? -error.number : -EINVAL;
}

class CallbackSink final : public notify_core::EventSink {
 public:
  CallbackSink(notify_watcher& watcher, notify_on_event callback, void* context)
      : watcher_(watcher), callback_(callback), context_(context) {}

  bool on_event(const Event& event) override {
    // C wants its strings ended; the views are not.
    watched_.assign(event.watched);
    name_.assign(event.name);
    const notify_event out{event.mask,   event.cookie, watched_.c_str(), watched_.size(), name_.c_str(),
                           name_.size(), event.time,   event.pid,        event.recovered};
    return callback_ == nullptr || callback_(&out, context_) == 0;
  }

  void on_notice(const Notice& notice) override {
    if (watcher_.on_notice == nullptr) return;
    const std::string path(notice.path);
    watcher_.on_notice(static_cast<notify_notice_kind>(notice.kind), path.c_str(),
                       notice.error != nullptr ? notice.error->number : 0, watcher_.notice_context);
  }

 private:
  notify_watcher& watcher_;
  notify_on_event callback_;
  void* context_;
  std::string watched_;
  std::string name_;
};

int outcome(notify_watcher& watcher, const Result<Watcher::Wait>& result) {
  if (!result) return remember(watcher, result.error());
  switch (*result) {
    case Watcher::Wait::timed_out:
      return 0;
    case Watcher::Wait::interrupted:
      return remember(watcher, Error{EINTR, "wait", {}, {}});
    case Watcher::Wait::events:
    case Watcher::Wait::stopped:
      break;
  }
  return 1;
}

WatcherOptions to_options(const notify_options& in) {
  WatcherOptions out;
  out.backend = static_cast<notify_core::Backend>(in.backend);
  out.mask = in.mask;
  out.recursive = in.recursive != 0;
  out.follow_tree = in.follow_tree != 0;
  out.follow_symlinks = in.follow_symlinks != 0;
  out.recover = in.recover != 0;
  out.gather = in.gather != 0;
  return out;
}

}  // namespace

int notify_watcher_create(const notify_options* options, notify_watcher** watcher) {
  *watcher = nullptr;
  return guarded([&]() -> int {
    notify_options known = NOTIFY_OPTIONS_INIT;
    if (options != nullptr) std::memcpy(&known, options, std::min(options->size, sizeof known));
    if (known.backend < NOTIFY_INOTIFY || known.backend > NOTIFY_FANOTIFY_FILESYSTEM) return -EINVAL;
    auto made = Watcher::create(to_options(known));
    if (!made) return made.error().number != 0 ? -made.error().number : -EINVAL;
    *watcher = new notify_watcher(std::move(made).value());
    return 0;
  });
}

void notify_watcher_free(notify_watcher* watcher) {
  delete watcher;
}

int notify_watcher_add(notify_watcher* watcher, const char* path) {
  return guarded([&]() -> int {
    const auto unreadable = [watcher](const Error& error) {
      if (watcher->on_notice == nullptr) return;
      watcher->on_notice(NOTIFY_WATCH_FAILED, error.path.c_str(), error.number, watcher->notice_context);
    };
    const Result<void> result = watcher->watcher.add(path, unreadable);
    return result ? 0 : remember(*watcher, result.error());
  });
}

void notify_watcher_set_notice(notify_watcher* watcher, notify_on_notice on_notice, void* context) {
  watcher->on_notice = on_notice;
  watcher->notice_context = context;
}

int notify_watcher_wait(notify_watcher* watcher, const timespec* timeout, notify_on_event on_event,
                        void* context) {
  return guarded([&]() -> int {
    CallbackSink sink(*watcher, on_event, context);
    std::optional<std::chrono::nanoseconds> limit;
    constexpr long second = 1'000'000'000;
    if (timeout != nullptr && (timeout->tv_sec < 0 || timeout->tv_nsec < 0 || timeout->tv_nsec >= second))
      return remember(*watcher, Error{EINVAL, "ppoll", {}, {}});
    constexpr std::int64_t longest = std::numeric_limits<std::int64_t>::max() / second - 1;
    if (timeout != nullptr && timeout->tv_sec < longest)
      limit = std::chrono::seconds(timeout->tv_sec) + std::chrono::nanoseconds(timeout->tv_nsec);
    return outcome(*watcher, watcher->watcher.wait(limit, sink));
  });
}

int notify_watcher_descriptor(const notify_watcher* watcher) {
  return watcher->watcher.descriptor();
}

int notify_watcher_has_work(const notify_watcher* watcher) {
  return watcher->watcher.next_timeout() == std::chrono::nanoseconds(0) ? 1 : 0;
}

int notify_watcher_dispatch(notify_watcher* watcher, notify_on_event on_event, void* context) {
  return guarded([&]() -> int {
    CallbackSink sink(*watcher, on_event, context);
    return outcome(*watcher, watcher->watcher.dispatch(sink));
  });
}

size_t notify_watcher_count(const notify_watcher* watcher) {
  return watcher->watcher.watch_count();
}

const char* notify_watcher_error(const notify_watcher* watcher) {
  return watcher->error.c_str();
}

size_t notify_mask_names(uint32_t mask, char* buffer, size_t size) {
  std::string names;
  notify_core::event::append_labels(names, mask, ',');
  if (size > 0) {
    const std::size_t kept = std::min(size - 1, names.size());
    std::memcpy(buffer, names.data(), kept);
    buffer[kept] = '\0';
  }
  return names.size();
}

uint32_t notify_mask_parse(const char* name) {
  return notify_core::event::parse_one(name).value_or(0);
}
