// SPDX-License-Identifier: GPL-2.0-or-later
#include "inotifysync/loop/target_look.hpp"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <mutex>
#include <utility>

#include "inotifysync/loop/apart.hpp"
#include "inotifysync/loop/mounts.hpp"
#include "inotifysync/loop/places.hpp"
#include "sys/fd.hpp"
#include "sys/syscall.hpp"

namespace inotifysync {
namespace {

namespace sys = notify_core::sys;

#ifndef STATX_MNT_ID
#define STATX_MNT_ID 0x00001000U
#endif

// The directory, or the one above in which it would be made.
bool find(std::string path, TargetFacts& facts) {
  struct statx raw;
  for (bool itself = true;; itself = false) {
    if (::statx(AT_FDCWD, path.c_str(), 0, STATX_INO | STATX_MNT_ID, &raw) == 0) {
      facts.is_there = itself && S_ISDIR(raw.stx_mode);
      facts.device = ::makedev(raw.stx_dev_major, raw.stx_dev_minor);
      facts.inode = raw.stx_ino;
      if (raw.stx_mask & STATX_MNT_ID) facts.mount = raw.stx_mnt_id;
      return true;
    }
    while (path.size() > 1 && path.back() == '/') path.pop_back();
    if (path == "/" || path == ".") return false;
    const auto slash = path.rfind('/');
    path = slash == std::string::npos ? "." : path.substr(0, std::max<std::size_t>(slash, 1));
  }
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
  TargetFacts facts;
  facts.fault = places_fault({source});
  facts.mounts = mount_ids(mount_table());
  if (!find(source.targets.front().path, facts)) facts.mount = 0;
  return facts;
}

std::unique_ptr<TargetLook> target_look(EventLoop& loop, SourceConfig source) {
  auto look = std::make_unique<ThreadLook>(loop, std::move(source));
  if (!look->listen()) return nullptr;
  return look;
}

}  // namespace inotifysync
