// SPDX-License-Identifier: GPL-2.0-or-later
#include "backend/mount_list.hpp"

#include <fcntl.h>
#include <linux/magic.h>

#include <algorithm>
#include <cerrno>

#include "sys/handle.hpp"
#include "sys/syscall.hpp"

namespace notify_core::backend {
int MountList::key_of(int directory, const char* name, int flags, std::string& key, bool afresh) {
  std::string handle;
  const int status = sys::name_to_handle(directory, name, flags, handle, last_mount_);
  if (status < 0) return status;
  const auto known = std::find_if(mounts_.begin(), mounts_.end(),
                                  [&](const Mount& mount) { return mount.number == last_mount_; });
  const Mount* mount = known == mounts_.end() ? nullptr : &*known;
  if (mount == nullptr || afresh || !mount->one_filesystem) {
    mount = look_at(directory, name, flags, last_mount_);
    if (mount == nullptr) return -ENOENT;
  }
  key.assign(mount->filesystem);
  key.append(handle);
  return 0;
}

const MountList::Mount* MountList::look_at(int directory, const char* name, int flags, int number) {
  const bool itself = *name == '\0';
  const int follow = flags & AT_SYMLINK_FOLLOW ? 0 : O_NOFOLLOW;
  const sys::Fd opened(itself ? -1 : sys::open_at(directory, name, O_PATH | follow));
  const int fd = itself ? directory : opened.get();
  Mount mount{number, {}, {}, whole_ || sys::filesystem_type(fd) != BTRFS_SUPER_MAGIC};
  if (fd < 0 || sys::filesystem_id(fd, mount.filesystem) < 0) return nullptr;
  if (sys::path_of(fd, mount.path) == 0) mount.path = mount_point(std::move(mount.path), number);
  const sys::Fd top(whole_ ? sys::open_at(AT_FDCWD, mount.path.c_str(), O_PATH) : -1);
  if (top) sys::filesystem_id(top.get(), mount.filesystem);
  std::erase_if(mounts_, [&](const Mount& other) { return other.number == number; });
  mounts_.push_back(std::move(mount));
  return &mounts_.back();
}

std::string MountList::last_mount_point() const {
  const auto known = std::find_if(mounts_.begin(), mounts_.end(),
                                  [&](const Mount& mount) { return mount.number == last_mount_; });
  return known == mounts_.end() ? std::string() : known->path;
}

// The topmost directory above `path` on the same mount.
std::string MountList::mount_point(std::string path, int number) {
  std::string handle;
  while (path.size() > 1) {
    const std::size_t slash = path.rfind('/');
    if (slash == std::string::npos) break;
    const std::string above(path, 0, slash == 0 ? 1 : slash);
    int mount = -1;
    if (sys::name_to_handle(AT_FDCWD, above.c_str(), 0, handle, mount) < 0 || mount != number) break;
    path = above;
  }
  return path;
}

void MountList::know_top(int directory) {
  sys::FileFacts facts;
  Mount top{0, {}, {}, true};
  if (sys::facts_at(directory, "", AT_EMPTY_PATH, facts) < 0) return;
  if (sys::filesystem_id(directory, top.filesystem) < 0) return;
  top.path = sys::mount_of_whole(facts.device);
  if (!top.path.empty()) mounts_.insert(mounts_.begin(), std::move(top));
}

int MountList::open(std::string_view key) const {
  if (key.size() <= filesystem_bytes) return -ESTALE;
  const std::string_view filesystem = key.substr(0, filesystem_bytes);
  int status = -ESTALE;
  for (const Mount& mount : mounts_) {
    if (mount.one_filesystem && mount.filesystem != filesystem) continue;
    const sys::Fd place(sys::open_at(AT_FDCWD, mount.path.c_str(), O_RDONLY));
    std::string there;
    if (!place || sys::filesystem_id(place.get(), there) < 0) continue;
    if (mount.one_filesystem && there != filesystem) continue;  // another one is mounted there by now
    status = sys::open_by_handle(place.get(), key.substr(filesystem_bytes));
    if (status >= 0) return status;
  }
  return status;
}

}  // namespace notify_core::backend
