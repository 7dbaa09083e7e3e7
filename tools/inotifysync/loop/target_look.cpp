// SPDX-License-Identifier: GPL-2.0-or-later
#include "inotifysync/loop/target_look.hpp"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <optional>
#include <utility>

#include "inotifysync/loop/apart.hpp"
#include "inotifysync/loop/mounts.hpp"
#include "inotifysync/loop/places.hpp"
#include "inotifysync/loop/system.hpp"
#include "sys/fd.hpp"
#include "sys/syscall.hpp"

namespace inotifysync {
namespace {

namespace sys = notify_core::sys;

#ifndef STATX_MNT_ID
#define STATX_MNT_ID 0x00001000U
#endif

void tell(const sys::Fd& directory, TargetFacts& facts, std::optional<std::uint64_t>& mount_id) {
  struct statx raw;
  constexpr unsigned wanted = STATX_INO | STATX_BTIME | STATX_MNT_ID;
  if (::statx(directory.get(), "", AT_EMPTY_PATH, wanted, &raw) < 0) return;
  facts.device = ::makedev(raw.stx_dev_major, raw.stx_dev_minor);
  facts.inode = raw.stx_ino;
  if (raw.stx_mask & STATX_BTIME)
    facts.birth = static_cast<std::uint64_t>(raw.stx_btime.tv_sec) * 1'000'000'000 + raw.stx_btime.tv_nsec;
  if (raw.stx_mask & STATX_MNT_ID) mount_id = raw.stx_mnt_id;
}

// Opens the directory, or the one above in which it would be made. Minus the errno: nobody knows.
sys::Fd open_target(std::string path, bool& itself) {
  for (itself = true;; itself = false) {
    sys::Fd directory(sys::open_at(AT_FDCWD, path.c_str(), O_PATH | O_DIRECTORY));
    if (directory || (directory.get() != -ENOENT && directory.get() != -ENOTDIR)) return directory;
    while (path.size() > 1 && path.back() == '/') path.pop_back();
    if (path == "/" || path == ".") return directory;
    const auto slash = path.rfind('/');
    path = slash == std::string::npos ? "." : path.substr(0, std::max<std::size_t>(slash, 1));
  }
}

// Of what is open, not of what stands at its path by now.
std::string fault_of(SourceConfig source, const sys::Fd& directory, bool itself) {
  if (itself) {
    const auto real = real_path("/proc/self/fd/" + std::to_string(directory.get()));
    if (real) source.targets.front().path = *real;
  }
  return places_fault({source});
}

// The table after the directory, so that none is missing from it that the directory was on. False where that
// one has gone meanwhile.
bool tell_mounts(const std::optional<std::uint64_t>& id, TargetFacts& facts) {
  const std::vector<Mount> all = mounts_in(mount_table());
  for (const Mount& mount : all) {
    facts.mounts.push_back(mount.mark);
    if (mount.id == id) facts.mount = mount.mark;
  }
  if (all.empty() && ::access("/proc/self/mountinfo", F_OK) == 0)
    facts.fault = "what is mounted cannot be read";
  return facts.mount != 0 || !id || all.empty();
}

// Shared with the thread that looks, which may outlive all else.
struct Answer {
  sys::Fd told{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
  std::mutex mutex;
  TargetFacts facts;
};

class ThreadLook : public TargetLook {
 public:
  ThreadLook(EventLoop& loop, SourceConfig source) : loop_(loop), source_(std::move(source)) {}
  ThreadLook(const ThreadLook&) = delete;
  ThreadLook& operator=(const ThreadLook&) = delete;
  ~ThreadLook() override {
    if (listens_) loop_.remove(answer_->told.get());
  }

  bool listen() {
    if (!answer_->told) return false;
    const auto added = loop_.add(answer_->told.get(), EPOLLIN, [this](std::uint32_t) { answered(); });
    listens_ = static_cast<bool>(added);
    return listens_;
  }

  void ask(std::function<void(const TargetFacts&)> seen) override {
    if (seen_) return;
    const auto look = [answer = answer_, source = source_] {
      TargetFacts facts = look_at_target(source);
      {
        const std::lock_guard lock(answer->mutex);
        answer->facts = std::move(facts);
      }
      constexpr std::uint64_t one = 1;
      sys::write(answer->told.get(), &one, sizeof one);
    };
    seen_ = std::move(seen);
    if (!run_apart(look)) look();
  }

 private:
  void answered() {
    std::uint64_t times = 0;
    if (sys::read(answer_->told.get(), &times, sizeof times) <= 0 || !seen_) return;
    TargetFacts facts;
    {
      const std::lock_guard lock(answer_->mutex);
      facts = std::move(answer_->facts);
    }
    std::exchange(seen_, nullptr)(facts);
  }

  EventLoop& loop_;
  SourceConfig source_;
  std::shared_ptr<Answer> answer_ = std::make_shared<Answer>();
  std::function<void(const TargetFacts&)> seen_;  // while a thread looks
  bool listens_ = false;
};

}  // namespace

TargetFacts look_at_target(const SourceConfig& source) {
  constexpr int most_tries = 10;
  for (int tries = 1;; ++tries) {
    TargetFacts facts;
    auto directory = std::make_shared<sys::Fd>(open_target(source.targets.front().path, facts.is_there));
    if (!*directory) {
      facts.fault = "it cannot be looked at, " + std::string(std::strerror(-directory->get()));
      return facts;
    }
    std::optional<std::uint64_t> mount_id;
    tell(*directory, facts, mount_id);
    const bool is_whole = tell_mounts(mount_id, facts);
    if (facts.fault.empty()) facts.fault = fault_of(source, *directory, facts.is_there);
    if (facts.is_there) facts.directory = std::move(directory);
    if (is_whole || tries == most_tries) return facts;
  }
}

std::unique_ptr<TargetLook> target_look(EventLoop& loop, SourceConfig source) {
  auto look = std::make_unique<ThreadLook>(loop, std::move(source));
  if (!look->listen()) return nullptr;
  return look;
}

}  // namespace inotifysync
