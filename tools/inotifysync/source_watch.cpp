// SPDX-License-Identifier: GPL-2.0-or-later
// The half of SourceSync that looks at the source: what happens in it, and whether it is still itself.
#include <fmt/format.h>
#include <sys/epoll.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "common/diagnostics.hpp"
#include "inotifysync/changes/path_names.hpp"
#include "inotifysync/loop/mounts.hpp"
#include "inotifysync/loop/system.hpp"
#include "inotifysync/source_sync.hpp"

namespace inotifysync {
namespace {

using notify_core::Notice;
using notify_tools::Limit;
using namespace std::chrono_literals;

constexpr Duration look_again = 500ms;  // for a source that is gone
constexpr Duration look_at_link = 2s;   // by which the source is reached
constexpr Duration look_at_path = 5s;   // where nothing of it is a link
constexpr Duration links_apart = 5s;    // looks at files with several names
// A source that has just been emptied may be about to vanish, too; so its deletions wait this long.
constexpr Duration emptied_pause = 2s;

std::uint64_t wall_nanoseconds() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(std::chrono::nanoseconds(now).count());
}

notify_core::Backend backend_of(Watching watching) {
  return watching == Watching::by_fanotify ? notify_core::Backend::fanotify_filesystem
                                           : notify_core::Backend::inotify;
}

}  // namespace

notify_core::WatcherOptions SourceSync::watcher_options(notify_core::Backend backend) {
  notify_core::WatcherOptions options;
  options.backend = backend;
  options.mask = Intake::wanted_events();
  options.recursive = true;
  options.follow_tree = true;
  if (patterns_.empty() && !around_.log.shows_progress()) return options;
  // Asked of every directory, so that it also knows how far the setting-up is.
  options.prune = [this, found = std::uint64_t{0}](std::string_view directory) mutable {
    if (++found % 4096 == 0)
      around_.log.progress(fmt::format("watching {}: {} directories", config_.path, found));
    directory.remove_suffix(1);
    return !patterns_.empty() && directory.size() > root_.size() &&
           patterns_.hides(directory.substr(root_.size() + 1), true);
  };
  return options;
}

constexpr std::string_view rarely = "only full passes will find what changes";

// False, and nothing is watched, where that is not allowed or not enough.
bool SourceSync::watch_by_one_mark() {
  if (!mounts_below(mount_table(), root_).empty()) return false;
  auto watcher = notify_core::Watcher::create(watcher_options(backend_of(Watching::by_fanotify)));
  if (!watcher || !watcher->add(root_ + "/")) return false;
  watcher_.emplace(std::move(*watcher));
  around_.log.line(Log::Level::debug, config_.path, "watching its filesystem by one mark");
  return true;
}

void SourceSync::tell_other_filesystems() {
  for (const std::string& other : mounts_below(mount_table(), root_)) {
    incomplete_ = true;
    around_.log.line(Log::Level::warning, other, fmt::format("not watched, {}: another filesystem", rarely));
  }
}

// A directory that cannot be watched is one whose changes only a full pass finds; so these come more often
// then.
Result<void> SourceSync::watch() {
  if (around_.once || around_.from_stdin) return {};
  const auto failed = [this](const Error& error) { tell_unwatched(error, ENOSPC, Limit::watches, rarely); };
  incomplete_ = unwatched_ = false;
  if (config_.watching != Watching::automatic || !watch_by_one_mark()) {
    auto watcher = notify_core::Watcher::create(watcher_options(backend_of(config_.watching)));
    const bool must_be = config_.watching == Watching::by_fanotify;
    if (!watcher && must_be) return watcher.error();
    if (!watcher) {
      tell_unwatched(watcher.error(), EMFILE, Limit::instances, rarely);
      return {};
    }
    auto added = watcher->add(root_ + "/", failed);
    if (!added && must_be) return added;
    if (!added) failed(added.error());
    watcher_.emplace(std::move(*watcher));
  }
  if (config_.watching == Watching::by_fanotify) tell_other_filesystems();
  around_.log.progress("");
  around_.log.line(Log::Level::debug, config_.path,
                   fmt::format("watching {} directories", watcher_->watch_count()));
  if (auto added = around_.loop.add(watcher_->descriptor(), EPOLLIN, [this](std::uint32_t) { dispatch(); });
      !added)
    failed(added.error());
  return {};
}

void SourceSync::watch_if_possible() {
  if (auto watched = watch(); !watched) tell_unwatched(watched.error(), 0, Limit::watches, rarely);
}

// `at_limit` is the errno by which the kernel says that `limit` is reached; then it is said who has used it
// up.
void SourceSync::tell_unwatched(const Error& error, int at_limit, Limit limit, std::string_view then) {
  incomplete_ = unwatched_ = true;
  const std::string& path = error.path.empty() ? config_.path : error.path;
  const std::string hint = error.number == EMFILE ? notify_tools::descriptor_hint() : "";
  const bool reached = error.number == at_limit && hint.empty() && config_.watching != Watching::by_fanotify;
  // Which directory is one too many is not the same each time.
  const std::string about = "watching " + (reached ? config_.path : path);
  if (!repeats_.worth_saying(about, notify_tools::reason(error), Clock::now())) return;
  const std::string limit_words =
      fmt::format("reached the limit of inotify {}", limit == Limit::watches ? "watches" : "instances");
  around_.log.line(
      Log::Level::warning, path,
      fmt::format("not watched, {}: {}", then, reached ? limit_words : notify_tools::reason(error)));
  if (!hint.empty()) around_.log.line(Log::Level::warning, "", hint);
  if (!reached) return;
  for (const std::string& line :
       explain(limit, notify_tools::inotify_limit(limit), notify_tools::inotify_use(), "-F"))
    around_.log.line(Log::Level::warning, "", line);
}

void SourceSync::unwatch() {
  if (watcher_) around_.loop.remove(watcher_->descriptor());
  watcher_.reset();
}

// What is missed meanwhile, the full pass finds that has to follow.
void SourceSync::watch_again() {
  unwatch();
  watch_if_possible();
  set_tick();
}

void SourceSync::dispatch() {
  told_ = true;
  if (auto read = watcher_->dispatch(*this); !read)
    around_.log.line(Log::Level::error, config_.path, notify_tools::reason(read.error()));
  if (std::exchange(look_at_root_, false)) trusted_source();
  // While it was away, new directories were looked for in vain.
  if (std::exchange(was_away_, false) && !lost_) lose_source(Duration::zero());
  set_tick();
}

void SourceSync::set_tick() {
  std::optional<Duration> next = watcher_ ? watcher_->next_timeout() : std::nullopt;
  if (const auto due = intake_.next_due()) {
    const Duration after = std::max(*due - Clock::now(), Duration::zero());
    next = next ? std::min(*next, after) : after;
  }
  next ? tick_timer_->set(*next) : tick_timer_->cancel();
  if (watcher_ && view_.knows_links() && !links_timer_->is_set()) links_timer_->set(links_apart);
}

// Files with several names may be written to by one that is not watched.
void SourceSync::look_at_links() {
  if (watcher_ && !lost_ && !stopping_)
    for (const std::string& name : view_.written_unheard()) intake_.found_written(name, Clock::now());
  set_tick();
}

// Reads first: where this comes late, what the intake waits for may be there already.
void SourceSync::tick() {
  if (watcher_) dispatch();
  intake_.tick(Clock::now());
  set_tick();
}

bool SourceSync::on_event(const notify_core::Event& event) {
  ++events_;
  std::string path(event.watched);
  path += event.name;
  while (path.size() > root_.size() && path.back() == '/') path.pop_back();
  if (path.size() <= root_.size()) {
    constexpr auto vanished =
        notify_core::mask::delete_self | notify_core::mask::move_self | notify_core::mask::unmount;
    look_at_root_ = look_at_root_ || (event.mask & vanished) != 0;
    was_away_ = was_away_ || (event.mask & notify_core::mask::move_self) != 0;
    intake_.event(event, "", Clock::now());
  } else {
    intake_.event(event, std::string_view(path).substr(root_.size() + 1), Clock::now());
  }
  return true;
}

void SourceSync::on_notice(const Notice& notice) {
  switch (notice.kind) {
    case Notice::Kind::overflow:
      ++overflows_;
      around_.log.line(Log::Level::warning, config_.path,
                       "the kernel's queue overflowed: a full pass follows");
      break;
    case Notice::Kind::events_lost:
    case Notice::Kind::overflow_repaired:
      full_pass();
      break;
    case Notice::Kind::watch_failed:
      if (!incomplete_ && notice.error != nullptr) {
        tell_unwatched(
            {notice.error->number, notice.error->call, std::string(notice.path), notice.error->detail},
            ENOSPC, Limit::watches, "a full pass follows");
        full_pass();
      }
      break;
    case Notice::Kind::watch_deleted:
    case Notice::Kind::watch_moved_out:
      look_at_root_ = look_at_root_ || notice.path.size() <= root_.size() + 1;
      break;
    case Notice::Kind::astray:
      look_at_root_ = was_away_ = true;
      break;
    case Notice::Kind::new_directory:
      break;
  }
}

void SourceSync::flush() {
  const auto reads_trees = [](const auto& worker) { return worker->reads_trees(); };
  for (const auto& worker : workers_)
    if (worker->reads_everything()) tree_reads_.begin({""});
  const bool doubtful = tree_reads_.doubt(std::any_of(workers_.begin(), workers_.end(), reads_trees),
                                          std::exchange(told_, false), Clock::now());
  if (intake_.empty() || lost_ || stopping_) return;
  ChangeSet fresh = intake_.take();
  if (doubtful) fresh.doubt_births([this](std::string_view path) { return tree_reads_.covers(path); });
  views_.add(std::move(fresh));
  for (const auto& worker : workers_) worker->changed();
  around_.state_changed();  // of those that are busy, the queue
}

bool SourceSync::hint(std::string_view path) {
  std::string given = config_.path;
  while (given.size() > 1 && given.back() == '/') given.pop_back();
  for (const std::string& root : {given, root_}) {
    if (!path.starts_with(root)) continue;
    std::string_view below = path.substr(root.size());
    if (!below.empty() && below.front() != '/' && root != "/") continue;
    while (!below.empty() && below.front() == '/') below.remove_prefix(1);
    while (!below.empty() && below.back() == '/') below.remove_suffix(1);
    const std::optional<std::string> plain = without_dots(below);
    if (!plain) return false;
    told_ = true;
    intake_.hint(*plain, wall_nanoseconds());
    return true;
  }
  return false;
}

// --- Standing guard ---

notify_core::sys::Fd SourceSync::trusted_source() {
  if (lost_) return {};
  auto source = open_source(root_ + "/");
  const SourceFacts facts = look_at_source(source);
  const bool known = guard_.knows(facts);
  const SourceVerdict verdict = judge_source(facts);
  if (verdict != SourceVerdict::trusted) {
    tell_lost(verdict, facts.error);
    lose_source(look_again);
    return {};
  }
  if (!known) {  // what is watched is another one
    lose_source(Duration::zero());
    return {};
  }
  if (is_still_emptied(facts)) return {};
  return source;
}

// A symbolic link that leads elsewhere now is as good as another directory; what it led to is still there.
SourceVerdict SourceSync::judge_source(const SourceFacts& facts) {
  if (entrance_.empty()) return guard_.judge(facts);
  const auto leads_to = real_path(entrance_);
  if (leads_to && *leads_to == (root_.empty() ? "/" : root_)) return guard_.judge(facts);
  const SourceFacts other = look_at_source(entrance_ + "/");
  if (other.error != 0) return SourceVerdict::unseen;
  if (!other.is_directory) return SourceVerdict::missing;
  return other.is_empty ? SourceVerdict::unmounted : SourceVerdict::replaced;
}

// No event tells of what happens to a link outside of the source, to a directory above it, or of what is
// mounted over them.
void SourceSync::look_where_path_leads() {
  if (around_.once) return;
  trusted_source();
  path_timer_->set(entrance_.empty() ? look_at_path : look_at_link);
}

bool SourceSync::is_still_emptied(const SourceFacts& facts) {
  if (!facts.is_empty || was_empty_) {
    was_empty_ = facts.is_empty;
    emptied_since_.reset();
    return false;
  }
  const auto now = Clock::now();
  if (!emptied_since_) emptied_since_ = now;
  if (now - *emptied_since_ >= emptied_pause) return false;
  emptied_timer_->set(emptied_pause - (now - *emptied_since_));
  return true;
}

void SourceSync::lose_source(Duration look_after) {
  lost_ = true;
  for (const auto& worker : workers_) worker->pause();
  guard_timer_->set(look_after);
}

void SourceSync::tell_lost(SourceVerdict verdict, int error) {
  verdict_ = verdict;
  around_.state_changed();
  const std::string why = error == 0 ? std::string() : fmt::format(", {}", std::strerror(error));
  const std::string said =
      fmt::format("{}{}: nothing is deleted anywhere, and nothing is sent until {}", words(verdict), why,
                  verdict == SourceVerdict::replaced ? "SIGHUP accepts it" : "it is back");
  // What goes to and fro in its place fills no log.
  if (lost_repeats_.worth_saying(fmt::format("{}", static_cast<int>(verdict)), said, Clock::now()))
    around_.log.line(Log::Level::error, config_.path, said);
}

void SourceSync::look_for_source() {
  const SourceFacts facts = look_at_source(root_ + "/");
  const SourceVerdict verdict = judge_source(facts);
  if (verdict != SourceVerdict::trusted) {
    if (verdict != verdict_) tell_lost(verdict, facts.error);
    return guard_timer_->set(look_again);
  }
  lost_ = false;
  lost_repeats_ = {};
  was_empty_ = true;
  around_.log.line(Log::Level::warning, config_.path, "the source is back: a full pass follows");
  watch_again();
  for (const auto& worker : workers_) worker->resume();
  full_pass();
  around_.state_changed();
}

bool SourceSync::may_delete_in_full_pass() {
  look_at_mounts();
  const auto is_empty_directory = [](const std::string& path) {
    const SourceFacts facts = look_at_source(path + "/");
    return facts.is_directory && facts.is_empty;
  };
  const auto& missed = mount_guard_.missed(is_empty_directory);
  const bool has_files = SourceGuard::may_delete_in_full_pass(look_at_source(root_ + "/"));
  if (has_files && missed.empty()) return true;
  const std::string about = has_files ? missed.front() : config_.path;
  const std::string_view why =
      has_files ? "an empty directory is where a filesystem was: unmounted?" : "the source is empty:";
  if (repeats_.worth_saying(about, "empty", Clock::now()))
    around_.log.line(Log::Level::warning, about, fmt::format("{} a full pass deletes nothing", why));
  return false;
}

// --- What is mounted in the source ---

// Nobody tells inotify(7) of that. One mark of fanotify(7) is for one filesystem anyway.
void SourceSync::watch_mounts() {
  if (around_.once || around_.from_stdin || root_.empty() || config_.watching == Watching::by_fanotify)
    return;
  mount_table_ = open_mount_table();
  if (!mount_table_) return;
  const auto changed = [this](std::uint32_t) {
    look_at_mounts();
    for (const auto& worker : workers_) worker->mounts_changed();
  };
  if (!around_.loop.add(mount_table_.get(), EPOLLPRI, changed)) mount_table_.reset();
}

// One seldom comes alone.
void SourceSync::look_at_mounts() {
  if (mount_guard_.see(mounts_below(mount_table(), root_)) && !around_.once) mounts_timer_->set(look_again);
}

void SourceSync::mounts_changed() {
  if (lost_ || around_.from_stdin) return;
  around_.log.line(Log::Level::info, config_.path, "what is mounted in it has changed: a full pass follows");
  watch_again();
  full_pass();
}

}  // namespace inotifysync
