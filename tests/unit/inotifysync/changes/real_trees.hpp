// SPDX-License-Identifier: GPL-2.0-or-later
// Trees on disk: looked at, compared, and brought over by the real rsync.
#pragma once

#include <doctest/doctest.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <set>
#include <sstream>

#include "inotifysync/changes/batch.hpp"
#include "inotifysync/changes/change_set.hpp"
#include "inotifysync/rsync/rsync_command.hpp"
#include "inotifysync/rsync/rsync_outcome.hpp"

namespace real_trees {

using namespace inotifysync;
namespace fs = std::filesystem;

inline std::string read_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

inline void write_file(const fs::path& path, std::string_view text) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
}

inline struct stat stat_of(const fs::path& path) {
  struct stat info {};
  ::lstat(path.c_str(), &info);
  return info;
}

class RealView : public FileSystemView {
 public:
  explicit RealView(fs::path top) : top_(std::move(top)) {}

  FileInfo lstat(const std::string& path) override {
    ++calls;
    struct stat info {};
    FileInfo out;
    if (::lstat((top_ / path).c_str(), &info) != 0) return out;
    out.type = S_ISREG(info.st_mode)   ? FileInfo::Type::file
               : S_ISDIR(info.st_mode) ? FileInfo::Type::directory
               : S_ISLNK(info.st_mode) ? FileInfo::Type::symlink
                                       : FileInfo::Type::other;
    out.size = static_cast<std::uint64_t>(info.st_size);
    out.device = info.st_dev;
    out.inode = info.st_ino;
    out.links = S_ISDIR(info.st_mode) ? 1 : info.st_nlink;
    return out;
  }

  bool list(const std::string& path, const std::function<void(std::string_view)>& visit) override {
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(top_ / path, error))
      visit(entry.path().filename().string());
    return !error;
  }

  std::vector<std::string> hard_links(const std::string& /*path*/, const FileInfo& info) override {
    std::vector<std::string> names;
    for (const auto& entry : fs::recursive_directory_iterator(top_)) {
      const struct stat one = stat_of(entry.path());
      if (one.st_ino == info.inode && !S_ISDIR(one.st_mode)) {
        names.push_back(entry.path().lexically_relative(top_).string());
      }
    }
    return names;
  }

  int calls = 0;

 private:
  fs::path top_;
};

// Everything a target must have in common with the source, as one text a path.
inline std::map<std::string, std::string> picture(const fs::path& top) {
  std::map<std::string, std::string> out;
  std::map<ino_t, std::string> first_name;
  const auto add = [&](const fs::path& path, const std::string& name) {
    const struct stat info = stat_of(path);
    std::string text = fmt::format("{:o} {}.{:09}", info.st_mode, info.st_mtim.tv_sec, info.st_mtim.tv_nsec);
    if (S_ISREG(info.st_mode)) text += " " + std::to_string(std::hash<std::string>{}(read_file(path)));
    if (S_ISLNK(info.st_mode)) text += " -> " + fs::read_symlink(path).string();
    if (!S_ISDIR(info.st_mode) && info.st_nlink > 1) {
      text += " = " + first_name.emplace(info.st_ino, name).first->second;
    }
    out[name] = text;
  };
  add(top, ".");
  std::set<fs::path> sorted;
  for (const auto& entry : fs::recursive_directory_iterator(top)) sorted.insert(entry.path());
  for (const fs::path& path : sorted) add(path, path.lexically_relative(top).string());
  return out;
}

inline std::string difference(const fs::path& source, const fs::path& target) {
  auto here = picture(source), there = picture(target);
  std::string out;
  for (const auto& [name, text] : here) {
    const auto other = there.find(name);
    if (other == there.end()) {
      out += name + " is missing\n";
    } else if (other->second != text) {
      out += fmt::format("{}: {} / {}\n", name, text, other->second);
    }
  }
  for (const auto& [name, text] : there) {
    if (!here.count(name)) out += name + " is left over\n";
  }
  return out;
}

struct Ran {
  bool signalled = false;
  int code = -1;
  std::string output, errors;
};

inline Ran run(const std::vector<std::string>& arguments, const std::string& input, const fs::path& scratch) {
  write_file(scratch / "in", input);
  const pid_t child = fork();
  if (child == 0) {
    const auto redirect = [&](const char* name, int flags, int to) {
      const int fd = open((scratch / name).c_str(), flags, 0600);
      if (fd < 0 || dup2(fd, to) < 0) _exit(126);
    };
    redirect("in", O_RDONLY, 0);
    redirect("out", O_WRONLY | O_CREAT | O_TRUNC, 1);
    redirect("err", O_WRONLY | O_CREAT | O_TRUNC, 2);
    setenv("LC_ALL", "C", 1);
    std::vector<char*> argv;
    for (const std::string& one : arguments) argv.push_back(const_cast<char*>(one.c_str()));
    argv.push_back(nullptr);
    execvp(argv[0], argv.data());
    _exit(127);
  }
  int status = 0;
  waitpid(child, &status, 0);
  Ran ran;
  ran.signalled = WIFSIGNALED(status);
  ran.code = ran.signalled ? WTERMSIG(status) : WEXITSTATUS(status);
  ran.output = read_file(scratch / "out");
  ran.errors = read_file(scratch / "err");
  return ran;
}

inline std::string visible(std::string names) {
  for (char& c : names) c = c == '\0' ? '|' : c;
  return names;
}

inline long environment_number(const char* name, long otherwise) {
  const char* value = std::getenv(name);
  return value ? std::atol(value) : otherwise;
}

}  // namespace real_trees
