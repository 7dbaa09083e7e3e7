// SPDX-License-Identifier: GPL-2.0-or-later
#include "backend/inotify_backend.hpp"

#include <fcntl.h>
#include <sys/inotify.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <iterator>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>

#include "sys/syscall.hpp"

namespace notify_core::backend {
namespace {

std::uint32_t kernel_mask(EventMask events, unsigned flags) {
  std::uint32_t mask = events;
  if (flags & add_directory_only) mask |= IN_ONLYDIR;
  if (flags & add_no_follow) mask |= IN_DONT_FOLLOW;
  if (flags & add_keep_old_events) mask |= IN_MASK_ADD;
  return mask;
}

// Of the whole lines of a fdinfo, see proc(5). Returns how long these are.
std::size_t take_watches(std::string_view text, std::unordered_set<int>& live) {
  constexpr std::string_view mark = "inotify wd:";
  std::size_t taken = 0;
  for (auto end = text.find('\n'); end != text.npos; end = text.find('\n', taken)) {
    const std::string_view line = text.substr(taken, end - taken);
    int watch = 0;
    if (line.starts_with(mark) &&
        std::from_chars(line.data() + mark.size(), line.data() + line.size(), watch, 16).ec == std::errc{})
      live.insert(watch);
    taken = end + 1;
  }
  return taken;
}

std::size_t read_queue_limit() {
  constexpr std::size_t kernel_default = 16384;
  const sys::Fd file(sys::open_at(AT_FDCWD, "/proc/sys/fs/inotify/max_queued_events", O_RDONLY));
  char text[32];
  const std::ptrdiff_t size = file ? sys::read(file.get(), text, sizeof text) : 0;
  std::size_t limit = kernel_default;
  if (size > 0) std::from_chars(text, text + size, limit);
  return limit;
}

}  // namespace

InotifyBackend::InotifyBackend(sys::Fd inotify, std::size_t queue_limit)
    : inotify_(std::move(inotify)),
      queue_limit_(queue_limit),
      buffer_(std::make_unique_for_overwrite<std::byte[]>(buffer_size)),
      placer_(inotify_.get()) {}

Result<std::unique_ptr<WatchBackend>> InotifyBackend::create() {
  const int number = sys::inotify_init();
  if (number < 0) return sys::error(number, "inotify_init1");
  return std::unique_ptr<WatchBackend>(new InotifyBackend(sys::Fd(number), read_queue_limit()));
}

int InotifyPlacer::enter(int directory) {
  directory_ = directory;
  return in_working_directory_ ? sys::change_directory(directory) : 0;
}

// inotify(7) has no "at" call: a name is looked up from the working directory, or through the descriptor's
// link in /proc, which costs two more steps but leaves the process where it stands.
int InotifyPlacer::add(const char* name, EventMask events, unsigned flags) {
  const std::uint32_t mask = kernel_mask(events, flags);
  if (in_working_directory_) return sys::inotify_add_watch(inotify_, name, mask);
  char path[512];
  const int length = std::snprintf(path, sizeof path, "/proc/self/fd/%d/%s", directory_, name);
  if (length < 0 || static_cast<std::size_t>(length) >= sizeof path) return -ENAMETOOLONG;
  return sys::inotify_add_watch(inotify_, path, mask);
}

std::unique_ptr<WatchPlacer> InotifyBackend::another_placer() {
  return std::make_unique<InotifyPlacer>(inotify_.get());
}

int InotifyBackend::add_path(const char* path, EventMask events, unsigned flags) {
  return sys::inotify_add_watch(inotify_.get(), path, kernel_mask(events, flags));
}

int InotifyBackend::remove(int watch) {
  return sys::inotify_remove_watch(inotify_.get(), watch);
}

std::vector<int> InotifyBackend::ended(const std::vector<int>& watches) const {
  std::string path = "/proc/self/fdinfo/" + std::to_string(inotify_.get());
  const sys::Fd file(sys::open_at(AT_FDCWD, path.c_str(), O_RDONLY));
  if (!file) return {};
  std::unordered_set<int> live;
  std::string text;
  std::ptrdiff_t size = 0;
  char buffer[16384];
  while ((size = sys::read(file.get(), buffer, sizeof buffer)) > 0) {
    text.append(buffer, static_cast<std::size_t>(size));
    text.erase(0, take_watches(text, live));
  }
  if (size < 0) return {};
  std::vector<int> result;
  std::ranges::copy_if(watches, std::back_inserter(result), [&](int watch) { return !live.contains(watch); });
  return result;
}

bool InotifyBackend::has_queued() const {
  constexpr std::timespec no_time{};
  return sys::wait_readable(inotify_.get(), &no_time) > 0;
}

[[gnu::hot]] std::ptrdiff_t InotifyBackend::fill() {
  return fill_buffer(false);
}

[[gnu::hot]] std::ptrdiff_t InotifyBackend::fill_when_ready() {
  return fill_buffer(true);
}

void InotifyBackend::visit_unread(const std::function<bool(const Record&)>& visit) {
  InotifyDecoder ahead = decoder_;
  for (Record record; ahead.next(record);) {
    if (!visit(record)) return;
  }
}

bool InotifyBackend::read_on() {
  const std::span<const std::byte> unread = decoder_.rest();
  if (unread.size() > buffer_size / 2) return false;
  std::memmove(buffer_.get(), unread.data(), unread.size());
  return fill_buffer(false, unread.size()) > 0;
}

// The buffer's bytes before `from` are kept, as unread.
[[gnu::hot]] std::ptrdiff_t InotifyBackend::fill_buffer(bool waiting, std::size_t from) {
  if (waiting != reads_wait_) [[unlikely]] {
    const int status = sys::let_reads_wait(inotify_.get(), waiting);
    if (status < 0) return status;
    reads_wait_ = waiting;
  }
  const std::size_t room = buffer_size - from;
  const std::ptrdiff_t size = sys::read(inotify_.get(), buffer_.get() + from, room);
  if (size > 0) ++reads_;
  // The kernel copies records as long as the next one fits, so room for the longest means that none was left.
  drained_ = size < static_cast<std::ptrdiff_t>(room - longest_record);
  decoder_ = InotifyDecoder({buffer_.get(), from + (size > 0 ? static_cast<std::size_t>(size) : 0)});
  return size;
}

}  // namespace notify_core::backend
