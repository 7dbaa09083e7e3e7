// SPDX-License-Identifier: GPL-2.0-or-later
#include "backend/fanotify_backend.hpp"

#include <fcntl.h>
#include <linux/fanotify.h>
#include <sys/stat.h>

#include <cerrno>
#include <optional>
#include <utility>

#include "sys/handle.hpp"
#include "sys/syscall.hpp"

namespace notify_core::backend {
namespace {

// FAN_MARK_IGNORE_SURV, which older headers lack: with FAN_ONDIR left out of the mask, directories are not
// meant.
constexpr unsigned mark_ignore = 0x440;

// What a queue holds that nobody made unlimited, and what an unlimited one is taken to hold.
constexpr std::size_t default_queue = 16384;
constexpr std::size_t endless_queue = std::size_t{1} << 24;

Error no_fanotify(int status, FanotifyScope scope) {
  Error error = sys::error(status, "fanotify_init");
  if (status == -ENOSYS) {
    error.detail = "this kernel was built without fanotify";
  } else if (status == -EINVAL) {
    error.detail = "this kernel's fanotify tells no names; Linux 5.9 and later do";
  } else if (status == -EPERM && scope == FanotifyScope::filesystems) {
    error.detail = "a whole filesystem is watched by root only (CAP_SYS_ADMIN, CAP_DAC_READ_SEARCH)";
  } else if (status == -EPERM) {
    error.detail = "needs root (CAP_SYS_ADMIN) here; since Linux 5.13 everybody may use it";
  } else if (status == -EMFILE) {
    error.detail = "too many fanotify groups or open files; see /proc/sys/fs/fanotify/max_user_groups";
  }
  return error;
}

// For want of descriptors or memory nothing is known; another call may do better.
bool is_want(int status) {
  return status == -EMFILE || status == -ENFILE || status == -ENOMEM;
}

}  // namespace

FanotifyBackend::FanotifyBackend(sys::Fd fanotify, FanotifyScope scope, EventMask events,
                                 std::size_t queue_limit)
    : queue_(std::move(fanotify)),
      scope_(scope),
      events_(events),
      queue_limit_(queue_limit),
      mounts_(scope == FanotifyScope::filesystems) {}

Result<std::unique_ptr<FanotifyBackend>> FanotifyBackend::create(FanotifyScope scope, EventMask events) {
  int status = 0;
  for (std::optional<FanotifyGroup> group = FanotifyGroup{}; group;
       group = next_best(*group, status, scope)) {
    status = sys::fanotify_init(group->flags());
    if (status < 0) continue;
    return std::unique_ptr<FanotifyBackend>(new FanotifyBackend(
        sys::Fd(status), scope, events, group->unlimited ? endless_queue : default_queue));
  }
  return no_fanotify(status, scope);
}

int FanotifyBackend::enter(int directory) {
  directory_ = directory;
  return 0;
}

int FanotifyBackend::add(const char* name, EventMask events, unsigned flags) {
  (void)events;
  return add_at(directory_, name, flags);
}

int FanotifyBackend::add_path(const char* path, EventMask events, unsigned flags) {
  (void)events;
  return add_at(AT_FDCWD, path, flags);
}

// The handle is asked for before and after, as the name may come to stand for something else in between.
int FanotifyBackend::add_at(int directory, const char* name, unsigned flags) {
  constexpr int most_tries = 8;
  const int follow = flags & add_no_follow ? 0 : AT_SYMLINK_FOLLOW;
  const bool operand = directory == AT_FDCWD;
  std::string before, after;
  for (int tries = 0; tries < most_tries; ++tries) {
    int status = mounts_.key_of(directory, name, follow, before, operand);
    if (status < 0) return status;
    const int known = handles_.find(before);
    if (known >= 0 && !operand) return known;
    sys::FileFacts facts;
    const int itself = flags & add_no_follow ? AT_SYMLINK_NOFOLLOW : 0;
    if (operand && sys::facts_at(directory, name, itself, facts) == 0 && !S_ISDIR(facts.mode))
      watches_files_ = true;
    status = mark(directory, name, flags);
    if (status < 0) return status;
    status = mounts_.key_of(directory, name, follow, after);
    if (status < 0 || before != after) {  // it left meanwhile, and may have taken the mark along
      if (scope_ == FanotifyScope::objects && handles_.find(before) < 0) unmark(before);
      if (status < 0) return status;
      continue;
    }
    if (scope_ == FanotifyScope::filesystems) ignore_of_files(directory, name, flags);
    if (handles_.size() == 0) may_open_ = mounts_.may_open(before);
    if (!left_behind_.empty()) left_behind_.erase(before);
    return handles_.intern(before);
  }
  return -ENOENT;
}

int FanotifyBackend::mark(int directory, const char* name, unsigned flags) {
  const bool may_be_file = (flags & add_directory_only) == 0;
  int status = 0;
  for (std::optional<FanotifyMark> wanted = best_mark_; wanted;
       wanted = next_best(*wanted, status, scope_, may_be_file)) {
    status = mark_as(*wanted, directory, name, flags);
    if (status < 0) continue;
    best_mark_.renames = wanted->renames;
    break;
  }
  return status;
}

// A third of what is queued while files come and go, else. Where a file is watched, its end must be told.
// What the kernel (before Linux 6.0) does not ignore does no harm.
void FanotifyBackend::ignore_of_files(int directory, const char* name, unsigned flags) {
  const std::uint64_t mask = best_mark_.ignored_of_files(events_);
  if (mask == 0) return;
  unsigned how = FAN_MARK_FILESYSTEM | mark_ignore | (watches_files_ ? FAN_MARK_REMOVE : FAN_MARK_ADD);
  if (flags & add_no_follow) how |= FAN_MARK_DONT_FOLLOW;
  sys::fanotify_mark(queue_.descriptor(), how, mask, directory, name);
}

int FanotifyBackend::mark_as(const FanotifyMark& wanted, int directory, const char* name, unsigned flags) {
  unsigned how = FAN_MARK_ADD;
  if (flags & add_directory_only) how |= FAN_MARK_ONLYDIR;
  if (flags & add_no_follow) how |= FAN_MARK_DONT_FOLLOW;
  if (scope_ == FanotifyScope::filesystems) how |= FAN_MARK_FILESYSTEM;
  const std::string top = wanted.at_top ? mounts_.last_mount_point() : std::string();
  if (wanted.at_top) directory = AT_FDCWD;
  return sys::fanotify_mark(queue_.descriptor(), how, wanted.mask(scope_, marked_events()), directory,
                            wanted.at_top ? top.c_str() : name);
}

// A mark can only be taken off what can be opened. If not, it goes with its directory, and what it says until
// then belongs to nobody.
int FanotifyBackend::remove(int watch) {
  const std::string key(handles_.key(watch));
  handles_.forget(watch);
  return unmark(key);
}

int FanotifyBackend::unmark(const std::string& key) {
  const sys::Fd object(mounts_.open(key));
  if (!may_open_) left_behind_.emplace(key);
  if (!object) return 0;
  return sys::fanotify_mark(queue_.descriptor(), FAN_MARK_REMOVE, best_mark_.mask(scope_, marked_events()),
                            object.get(), ".");
}

std::string FanotifyBackend::explain(int status) const {
  if (status == -ENODEV || status == -EOPNOTSUPP)
    return "its filesystem gives no file handles to know files by";
  if (status == -EXDEV)
    return "what is mounted there is only a subvolume, which cannot be watched as a filesystem";
  if (status == -ENOSPC) return "the limit is reached: see /proc/sys/fs/fanotify/max_user_marks";
  if (status == -EPERM && scope_ == FanotifyScope::filesystems)
    return "only root may watch a whole filesystem";
  return {};
}

std::string FanotifyBackend::where(int watch) const {
  std::string path;
  const sys::Fd object(mounts_.open(handles_.key(watch)));
  if (object) sys::path_of(object.get(), path);
  return path;
}

bool FanotifyBackend::has_queued() const {
  constexpr std::timespec no_time{};
  return sys::wait_readable(descriptor(), &no_time) > 0;
}

std::ptrdiff_t FanotifyBackend::fill() {
  renames_ = searched_at_ = 0;
  own_process_ = sys::process_id();
  return queue_.fill();
}

bool FanotifyBackend::next(Record& record) {
  FanotifyEvent event;
  while (handed_on_ == queued_.size()) {
    queued_.clear();
    handed_on_ = 0;
    if (queue_.next(event)) {
      if (event.pid != own_process_) take_apart(event);
      if (!deferred_.empty()) hand_on_deferred();
    } else if (!queue_.drained() || (!find_wanderers() && ended_.empty())) {
      return false;
    } else if (queued_.empty() && !ended_.empty()) {
      hand_on_ends();
    }
  }
  record = queued_[handed_on_++];
  return true;
}

int FanotifyBackend::number_of(int directory) {
  std::string key;
  const int status = mounts_.key_of(directory, "", AT_EMPTY_PATH, key);
  return status < 0 ? status : handles_.intern(key);
}

bool FanotifyBackend::foretold(int number, Foretold& place) {
  const auto* departure = queue_.foresight().departure(handles_.key(number), queue_.position());
  if (departure == nullptr) return false;
  place.above = handles_.intern(departure->place.directory);
  place.name = departure->place.name;
  place.removed = departure->removed;
  return true;
}

int FanotifyBackend::open_directory(int number) {
  return mounts_.open(handles_.key(number));
}

int FanotifyBackend::open_above(int directory) {
  std::string here, there;
  int status = mounts_.key_of(directory, "", AT_EMPTY_PATH, here);
  const int mount = mounts_.last_mount();
  sys::Fd above;
  if (status >= 0) above.reset(status = sys::open_at(directory, "..", O_PATH | O_DIRECTORY));
  if (above) status = mounts_.key_of(above.get(), "", AT_EMPTY_PATH, there);
  if (is_want(status)) return status;
  const bool top = status < 0 || mounts_.last_mount() != mount || here == there;
  return top ? -ENOENT : above.release();
}

}  // namespace notify_core::backend
