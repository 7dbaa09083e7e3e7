// SPDX-License-Identifier: GPL-2.0-or-later
// The filesystems on which something is watched: the names by which fanotify tells objects apart, and how to
// reach an object again that only its handle is known of.
#pragma once

#include <cerrno>
#include <string>
#include <string_view>
#include <vector>

#include "sys/fd.hpp"

namespace notify_core::backend {

class MountList {
 public:
  // `whole`: fanotify gives all objects of a filesystem the filesystem id of its top. Else those in a
  // subvolume of btrfs have that one's.
  explicit MountList(bool whole) : whole_(whole) {}

  // The name of what `name` stands for from `directory` as fanotify's records have it (ObjectKey). `flags`
  // are name_to_handle_at(2)'s. `afresh`: look at the filesystem even if the mount is known. 0 or minus the
  // errno.
  int key_of(int directory, const char* name, int flags, std::string& key, bool afresh = false);
  // The number of the mount that the last key_of() was about.
  int last_mount() const { return last_mount_; }
  // Where it is mounted; empty: that is not known.
  std::string last_mount_point() const;
  // Opens (O_PATH) what a key stands for. No descriptor is kept that would hold a mount busy or keep a
  // deleted directory alive: the mount is opened by a path each time.
  int open(std::string_view key) const;
  // False for who lacks the privilege.
  bool may_open(std::string_view key) const { return sys::Fd(open(key)) || open(key) != -EPERM; }
  // The part of a key that is its filesystem's.
  static std::string_view filesystem(std::string_view key) { return key.substr(0, filesystem_bytes); }
  // From now on, what is on the filesystem of an open directory is looked for on a mount of all of it, if
  // there is one.
  void know_top(int directory);

 private:
  static constexpr std::size_t filesystem_bytes = 8;

  struct Mount {
    int number;              // as name_to_handle_at(2) gives it
    std::string filesystem;  // first part of a key
    std::string path;        // where it is mounted
    bool one_filesystem;     // not so on btrfs, where every subvolume counts as one
  };

  const Mount* look_at(int directory, const char* name, int flags, int number);
  static std::string mount_point(std::string path, int number);

  bool whole_;
  std::vector<Mount> mounts_;
  int last_mount_ = -1;
};

}  // namespace notify_core::backend
