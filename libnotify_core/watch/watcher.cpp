// SPDX-License-Identifier: GPL-2.0-or-later
// A directory's life, as the watcher sees it:
//
// Born. CREATE,ISDIR is read on its parent. The parent is opened by its path and confirmed (the same watch
// must come back for it), the newborn is opened from there without following, watched by its name, and
// listed. What the listing shows and the queue does not say is reported once, as recovered. Directories found
// inside are watched and listed the same way.
//
// Moved. MOVED_FROM, MOVED_TO and MOVE_SELF are read, in this order. Which directory left the place is known
// from the MOVE_SELF, which is looked for ahead (foresight.hpp): one that was watched only lately may have
// come there after the rename. MOVED_TO moves the node: one edge, whatever lies below. No MOVED_TO: it left
// the tree, and everything below it falls silent.
//
// Lost. IGNORED ends the node. If the queue overflowed, every root is walked again: known directories are put
// where they stand, unknown ones are newborn, and what was not seen is dropped.
//
// The tree is as the queue has it, never ahead: a watched directory that a listing shows at another place
// than the tree does was moved since, and its MOVE_SELF is still to come. Where that one has no MOVED_TO, for
// the new parent was not watched yet, the sighting tells where it went, and it is reported as if born there;
// unless the queue tells further on that it went on from elsewhere.
//
// Whenever a look at the file system and the queue disagree, the queue is older: events still in it will
// tell. A directory that cannot be found where it should be is "unsettled" and looked at again when the queue
// is empty.
//
// Unheard. What is moved while the kernel begins to watch it has no MOVE_SELF of that: where the queue leaves
// something in doubt, it is looked for (unheard_moves.cpp).
//
// Somebody waits for the line that an event becomes, and it comes to a program that slept until now: each
// page and each line of memory on the way costs more than what is done there. What runs from read(2) to
// write(2) is therefore marked [[gnu::hot]], here and elsewhere, which puts it side by side, and keeps what
// is rare out of line.
#include "notify_core/watcher.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "backend/fanotify_backend.hpp"
#include "backend/inotify_backend.hpp"
#include "sys/handle.hpp"
#include "sys/syscall.hpp"
#include "watch/filesystem_impl.hpp"
#include "watch/watcher_impl.hpp"

namespace notify_core {
namespace {

constexpr std::int64_t millisecond = 1'000'000;

EventMask kernel_events(const WatcherOptions& options) {
  // The kernel reports the last five unasked, but refuses a watch for nothing at all.
  EventMask events = options.mask & (mask::all_events | mask::unmount | mask::q_overflow | mask::ignored |
                                     mask::is_directory | mask::one_shot);
  if (options.recursive && options.follow_tree) {
    if (options.follow_unasked) events |= mask::create | mask::move;
    // Whoever asks for one half is owed the other: half a rename is a directory gone. And move_self is the
    // moment to give a node its new place.
    if ((events & (mask::move | mask::move_self)) != 0) events |= mask::move | mask::move_self;
  }
  // inotify refuses to watch for nothing; what it reports unasked will do.
  return events != 0 ? events : mask::unmount;
}

}  // namespace

Watcher::Impl::Impl(WatcherOptions options, std::unique_ptr<backend::WatchBackend> backend)
    : options_(std::move(options)),
      kernel_events_(kernel_events(options_)),
      backend_(std::move(backend)),
      processes_(options_.ignored_processes, options_.ignored_programs),
      scanner_(*backend_, tree_, kernel_events_, *this) {
  backend_->ask_for_paths([this](int watch) {
    const watch::NodeId node = tree_.by_watch(watch);
    return node == watch::no_node ? std::string() : std::string(tree_.path(node));
  });
  for (std::string path : options_.excluded_paths) {
    if (path.size() > 1 && path.back() == '/') path.pop_back();
    if (says_absolute_paths()) excluded_.insert(sys::absolute_path(path));
    excluded_.insert(std::move(path));
  }
}

[[gnu::hot]] Result<Watcher::Wait> Watcher::Impl::read_all(EventSink& sink, bool resting) {
  const watch::During during(sink_, &sink);
  stopped_ = false;
  Result<Wait> result(Wait::timed_out);
  one_read_will_do_ = true;
  constexpr int most_reads = 32;  // where the queue never ends, the program has other things to do, too
  int reads = 0;
  for (bool more = read_and_hand_on(result, resting); more; more = read_and_hand_on(result, false)) {
    one_read_will_do_ = false;
    if (++reads == most_reads) break;
  }
  return result;
}

// One read; true where there is reason for another at once.
[[gnu::hot]] bool Watcher::Impl::read_and_hand_on(Result<Wait>& result, bool resting) {
  if (!unread_) {
    recovery_mark_ = recovery_.mark();
    last_known_ = tree_.last_order();
    const std::ptrdiff_t size = resting ? backend_->fill_when_ready() : backend_->fill();
    if (size == -EINTR) {
      if (resting) result = Wait::interrupted;
      return !resting;
    }
    if (size < 0 && size != -EAGAIN) {
      result = sys::error(static_cast<int>(size), "read");
      return false;
    }
    batch_events_ = 0;
    if (size > 0) {
      if (options_.stamp) batch_time_ = sys::now(CLOCK_REALTIME);
      result = Wait::events;
    }
  }
  const bool resumed = std::exchange(unread_, false);
  if (resumed) {
    result = Wait::events;
    hand_on_kept();
  }
  bool seen_to = std::exchange(seen_to_, false);
  if (!seen_to) {
    hand_on_batch();
    if (!stopped_ && backend_->drained()) {
      queue_drained();
      seen_to = true;
    }
  }
  if (!stopped_ && unread_) return true;
  if (!stopped_) tell_lost();
  if (stopped_) {
    seen_to_ = seen_to && !unread_;
    unread_ = true;  // if only what is kept
    result = Wait::stopped;
    return false;
  }
  return resumed || !backend_->drained() || (!calm_ && (has_work() || recovery_.mark() != recovery_mark_));
}

[[gnu::hot]] void Watcher::Impl::hand_on_batch() {
  backend::Record record;
  if (options_.backend != Backend::inotify) processes_.begin_batch();
  while (!stopped_ && backend_->next(record)) {
    ++batch_events_;
    handle(record);
  }
  unread_ = stopped_;
  if (!stopped_ && (calm_ || recovery_.idle())) sink_->on_batch_end();
}

[[gnu::hot]] void Watcher::Impl::handle(const backend::Record& record) {
  if (record.mask & mask::q_overflow) {
    report(watch::no_node, record.mask, 0, {});
    return repair();
  }
  if (!record.directory.empty()) return report_elsewhere(record);
  const watch::NodeId node = tree_.by_watch(record.watch);
  if (node == watch::no_node) {  // a watch that was ended; its last events are nobody's, nor do others follow
    --batch_events_;
    return;
  }
  if (!concerns_tree(record)) return report(node, record.mask, record.cookie, record.name, record.pid);
  handle_in_tree(node, record);
}

// False of nearly all events: of these, handle_in_tree() would do nothing but report them.
[[gnu::hot]] inline bool Watcher::Impl::concerns_tree(const backend::Record& record) const {
  return (record.mask & (mask::is_directory | mask::move_self | mask::ignored | mask::unmount)) != 0 ||
         !calm_;
}

// Nothing is known or awaited of any directory that an event of a file could matter to, and nothing is left
// to be done when the queue is empty.
bool Watcher::Impl::is_calm() const {
  return recovery_.idle() && untold_.empty() && away_.empty() && departing_ == watch::no_node &&
         newcomer_ == watch::no_node && taken_before_.empty() && taken_for_old_.empty() && births_.empty() &&
         unsettled_.empty() && retired_.empty() && astray_.empty() && denied_lately_.empty() &&
         uncovered_.empty() && beyond_limit_.empty() && unopened_.empty() && !ends_unheard_ && !in_doubt();
}

void Watcher::Impl::handle_in_tree(watch::NodeId node, const backend::Record& record) {
  calm_ = false;
  if (is_told_already(record)) return;
  bool wanted = moving_ < 0 || follow_ahead(node, record);
  if ((record.mask & mask::move_self) && tree_.is_root(node)) root_moved(node);
  if (!record.name.empty()) tree_.set_heard(node);
  if (!astray_.empty()) astray_heard_.insert(tree_.watch(root_of(node)));
  if (!away_.empty() && is_away(node)) wanted = false;
  // Only in what is there something comes and goes; what was open in it is closed later. inotify keeps the
  // order: there, that it has come is told before.
  constexpr EventMask changes = mask::create | mask::remove | mask::move;
  const bool any_order = options_.backend != Backend::inotify;
  if (any_order && !outdated_.empty() && (record.mask & changes)) announce_outdated(node);
  if (wanted && !recovery_.idle()) recover_before(node, record, wanted);
  if (options_.follow_tree) follow_before(node, record);
  if (wanted) report(node, record.mask, record.cookie, record.name, record.pid);
  follow_after(node, record);
}

[[gnu::hot]] void Watcher::Impl::hand_on(Event& event) {
  event.time = batch_time_;
  if (stopped_) return keep(event);
  if (event.pid != 0 && !name_program(event)) return;
  stopped_ = !sink_->on_event(event);
}

[[gnu::hot]] bool Watcher::Impl::asked_or_vital(EventMask mask) const {
  return (mask & (options_.mask | mask::unmount | mask::q_overflow | mask::ignored)) != 0;
}

[[gnu::hot]] void Watcher::Impl::report(watch::NodeId node, EventMask mask, std::uint32_t cookie,
                                        std::string_view name, std::int32_t pid, bool recovered) {
  if (!asked_or_vital(mask)) return;
  Event event;
  event.mask = mask;
  event.cookie = cookie;
  event.name = name;
  event.pid = pid;
  event.recovered = recovered;
  if (node != watch::no_node) {
    event.watched = tree_.path(node);
    event.watch = tree_.order(node);
    if (says_absolute_paths() && !file_places_.empty()) place_file(node, event);
  }
  hand_on(event);
}

// All that the kernel had queued when it was last read has been handed on.
[[gnu::hot]] void Watcher::Impl::queue_drained() {
  known_before_ = last_known_;
  walk_was_disturbed_ = false;
  if (!calm_) work_on_drained();
}

[[gnu::hot]] Result<Watcher::Wait> Watcher::Impl::wait(std::optional<std::chrono::nanoseconds> timeout,
                                                       EventSink& sink) {
  if (options_.follow_tree) tree_.index();
  if (options_.gather && !has_work()) pause_under_load();
  Result<Wait> result(Wait::timed_out);
  while (busy_ || has_work()) {  // as much as one call does may not be all
    result = dispatch(sink);
    if (!result || *result != Wait::timed_out) return result;
    busy_ = false;
    rate_ = 0;
  }
  // Not where a second read followed lately, for that one must not wait, and changing the descriptor's mind
  // costs more than is gained.
  if (!timeout && options_.rest_in_read && one_read_will_do_ && backend_->can_rest_in_read() &&
      !time_to_try_room()) {
    return read_all(sink, true);
  }
  return wait_for_events(timeout, sink);
}

Result<Watcher::Wait> Watcher::Impl::wait_for_events(std::optional<std::chrono::nanoseconds> timeout,
                                                     EventSink& sink) {
  while (true) {
    const std::optional<std::chrono::nanoseconds> room = time_to_try_room();
    const bool only_room = room && (!timeout || *room < *timeout);
    const std::optional<std::chrono::nanoseconds> longest = only_room ? room : timeout;
    const std::timespec length = sys::to_timespec(longest.value_or(std::chrono::nanoseconds(0)));
    const int ready = sys::wait_readable(backend_->descriptor(), longest ? &length : nullptr);
    if (ready == -EINTR) return Wait::interrupted;
    if (ready < 0) return sys::error(ready, "ppoll");
    if (ready > 0) return dispatch(sink);
    if (!only_room) return Wait::timed_out;
    if (timeout) *timeout -= *room;
    auto result = dispatch(sink);
    if (!result || *result != Wait::timed_out) return result;
  }
}

std::optional<std::chrono::nanoseconds> Watcher::Impl::next_timeout() const {
  return has_work() ? std::chrono::nanoseconds(0) : time_to_try_room();
}

// While events come thick, a pause lets one read bring many of them; the kernel's queue is the buffer. Only a
// steady rate counts, higher than a program reaches that waits for each line before it makes the next event,
// so an event that comes alone is never held up. The pause is as long as it takes for a good many to gather,
// and the queue stays far from its limit.
[[gnu::hot]] void Watcher::Impl::pause_under_load() {
  constexpr std::size_t busy_rate = 50;    // events a millisecond
  constexpr std::size_t good_many = 1024;  // events
  constexpr std::int64_t longest = 4 * millisecond;
  window_events_ += batch_events_;
  if (!busy_ && window_events_ < busy_rate) {
    batch_events_ = 0;
    return;
  }
  const std::int64_t now = sys::nanoseconds(sys::now(CLOCK_MONOTONIC));
  const std::int64_t elapsed = now - window_start_;
  // A burst that was interrupted is soon known again.
  const std::int64_t window = now - last_busy_ < 100 * millisecond ? millisecond / 4 : millisecond;
  if (elapsed >= window) {
    rate_ = window_events_ * static_cast<std::size_t>(millisecond) / static_cast<std::size_t>(elapsed);
    window_start_ = now;
    window_events_ = 0;
  }
  busy_ = rate_ >= busy_rate;
  if (busy_) last_busy_ = now;
  if (busy_ && batch_events_ < backend_->queue_limit() / 8) {
    sys::pause_for(std::min(longest, static_cast<std::int64_t>(good_many * millisecond / rate_)));
  }
  batch_events_ = 0;
}

Result<Watcher> Watcher::create(WatcherOptions options) {
  if (options.backend == Backend::inotify) {
    auto backend = backend::InotifyBackend::create();
    if (!backend) return std::move(backend).error();
    return Watcher(std::make_unique<Impl>(std::move(options), std::move(backend).value()));
  }
  const bool whole = options.backend == Backend::fanotify_filesystem;
  auto backend = backend::FanotifyBackend::create(
      whole ? backend::FanotifyScope::filesystems : backend::FanotifyScope::objects, kernel_events(options));
  if (!backend) return std::move(backend).error();
  if (whole) return Watcher(std::make_unique<FilesystemImpl>(std::move(options), std::move(backend).value()));
  return Watcher(std::make_unique<Impl>(std::move(options), std::move(backend).value()));
}

Watcher::Watcher(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Watcher::Watcher(Watcher&&) noexcept = default;
Watcher& Watcher::operator=(Watcher&&) noexcept = default;
Watcher::~Watcher() = default;

Result<void> Watcher::add(std::string_view path, const std::function<void(const Error&)>& on_unreadable) {
  if (impl_->is_handing_on()) return sys::error(-EBUSY, "add", path);
  if (path.find('\0') != path.npos) return sys::error(-EINVAL, "add", path);
  if (impl_->nothing_to_tell()) return sys::error(-EINVAL, "fanotify_mark", path);
  return impl_->add(path, on_unreadable);
}
[[gnu::hot]] Result<Watcher::Wait> Watcher::wait(std::optional<std::chrono::nanoseconds> timeout,
                                                 EventSink& sink) {
  if (impl_->is_handing_on()) return sys::error(-EBUSY, "wait");
  if (timeout && *timeout < std::chrono::nanoseconds(0)) timeout = std::chrono::nanoseconds(0);
  return impl_->wait(timeout, sink);
}
int Watcher::descriptor() const {
  return impl_->descriptor();
}
std::optional<std::chrono::nanoseconds> Watcher::next_timeout() const {
  return impl_->next_timeout();
}
Result<Watcher::Wait> Watcher::dispatch(EventSink& sink) {
  if (impl_->is_handing_on()) return sys::error(-EBUSY, "dispatch");
  return impl_->dispatch(sink);
}
std::size_t Watcher::watch_count() const {
  return impl_->tree().size();
}

void Watcher::for_each_watch(const std::function<void(std::uint32_t, std::string_view)>& visit) const {
  const watch::WatchTree& tree = impl_->tree();
  std::vector<watch::NodeId> nodes;
  tree.for_each([&](watch::NodeId node) { nodes.push_back(node); });
  std::sort(nodes.begin(), nodes.end(),
            [&](watch::NodeId a, watch::NodeId b) { return tree.order(a) < tree.order(b); });
  for (const watch::NodeId node : nodes) visit(tree.order(node), tree.path(node));
}

}  // namespace notify_core
