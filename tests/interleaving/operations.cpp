// SPDX-License-Identifier: GPL-2.0-or-later
#include "operations.hpp"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include <map>

#include "sys/fd.hpp"

namespace interleaving {
namespace {

namespace fs = std::filesystem;
using Kind = Operation::Kind;

// What the trees are like after the operations so far: paths, and whether each is a directory.
class Picture {
 public:
  // `inside`: nothing is done outside of the tree that is watched.
  Picture(std::mt19937& random, bool inside) : random_(random), inside_(inside) {}

  std::size_t below(std::size_t limit) {
    return std::uniform_int_distribution<std::size_t>(0, limit - 1)(random_);
  }
  bool chance(unsigned percent) { return below(100) < percent; }

  // Few names, so that operations meet.
  std::string new_path(bool outside_too = true) {
    static constexpr const char* common[] = {"a", "b", "c", "d"};
    const std::string name = chance(70) ? common[below(4)] : "n" + std::to_string(++serial_);
    return directory(outside_too) + "/" + name;
  }

  std::string directory(bool outside_too) {
    outside_too = outside_too && !inside_;
    std::vector<std::string> found{"t", "t"};
    if (outside_too) found.push_back("o");
    for (const auto& [path, is_directory] : entries_) {
      if (is_directory && (outside_too || path[0] == 't')) found.push_back(path);
    }
    return found[below(found.size())];
  }

  // Empty where there is none.
  std::string entry(bool directories) {
    std::vector<std::string> found;
    for (const auto& [path, is_directory] : entries_) {
      if (is_directory || !directories) found.push_back(path);
    }
    return found.empty() ? std::string() : found[below(found.size())];
  }

  bool has(const std::string& path) const { return entries_.contains(path); }
  bool is_directory(const std::string& path) const { return entries_.at(path); }
  void add(const std::string& path, bool is_directory) { entries_[path] = is_directory; }
  void remove(const std::string& path) { entries_.erase(path); }
  std::vector<std::string> all_below(const std::string& path) const {
    std::vector<std::string> found;
    for (auto at = entries_.lower_bound(path + "/");
         at != entries_.end() && at->first.starts_with(path + "/"); ++at) {
      found.push_back(at->first);
    }
    return found;
  }
  void rename(const std::string& from, const std::string& to) {
    std::vector<std::string> moved = all_below(from);
    moved.push_back(from);
    for (const std::string& path : moved) {
      const bool is_directory = entries_.at(path);
      entries_.erase(path);
      entries_[to + path.substr(from.size())] = is_directory;
    }
  }
  std::size_t size() const { return entries_.size(); }

 private:
  std::mt19937& random_;
  bool inside_;
  std::map<std::string, bool> entries_;
  std::size_t serial_ = 0;
};

using Operations = std::vector<Operation>;

void make(Picture& picture, Operations& out) {
  std::string path = picture.new_path();
  if (picture.has(path)) return;
  const std::size_t levels = picture.chance(40) ? 1 + picture.below(4) : picture.below(2);
  for (std::size_t level = 0; level < levels; ++level) {
    picture.add(path, true);
    out.push_back({Kind::make_directory, path});
    path += std::string("/") + "abcd"[picture.below(4)];
  }
  if (levels == 1 && picture.chance(50)) return;
  picture.add(path, false);
  out.push_back({Kind::make_file, path});
}

void rename(Picture& picture, Operations& out) {
  const std::string from = picture.entry(picture.chance(80));
  const std::string to = picture.chance(25) ? picture.entry(picture.chance(70)) : picture.new_path();
  if (from.empty() || to.empty() || from == to || to.starts_with(from + "/") || from.starts_with(to + "/"))
    return;
  if (picture.has(to)) {
    if (picture.is_directory(from) != picture.is_directory(to) || !picture.all_below(to).empty()) return;
    picture.remove(to);
  }
  picture.rename(from, to);
  out.push_back({Kind::rename, from, to});
}

void exchange(Picture& picture, Operations& out) {
  const std::string one = picture.entry(true), other = picture.entry(picture.chance(80));
  if (one.empty() || (one + "/").starts_with(other + "/") || (other + "/").starts_with(one + "/")) return;
  const std::string aside = "aside";
  picture.rename(one, aside);
  picture.rename(other, one);
  picture.rename(aside, other);
  out.push_back({Kind::exchange, one, other});
}

void remove(Picture& picture, Operations& out) {
  const std::string top = picture.entry(false);
  if (top.empty()) return;
  std::vector<std::string> gone = picture.all_below(top);
  gone.insert(gone.begin(), top);
  for (auto path = gone.rbegin(); path != gone.rend(); ++path) {
    picture.remove(*path);
    out.push_back({Kind::remove, *path});
  }
}

}  // namespace

std::vector<Operation> make_operations(std::mt19937& random, std::size_t count, bool exchanges, bool inside) {
  Picture picture(random, inside);
  Operations made;
  while (made.size() < count) {
    const std::size_t choice = picture.below(100);
    if (choice < 45) {
      make(picture, made);
    } else if (choice < 55 && exchanges) {
      exchange(picture, made);
    } else if (choice < 85) {
      rename(picture, made);
    } else {
      remove(picture, made);
    }
    if (picture.size() > 60) remove(picture, made);
  }
  return made;
}

std::string describe(const Operation& operation) {
  switch (operation.kind) {
    case Kind::make_file:
      return "create " + operation.path;
    case Kind::make_directory:
      return "mkdir " + operation.path;
    case Kind::rename:
      return "rename " + operation.path + " " + operation.to;
    case Kind::exchange:
      return "exchange " + operation.path + " " + operation.to;
    case Kind::remove:
      return "remove " + operation.path;
  }
  return {};
}

void perform(const Operation& operation, const fs::path& top) {
  const fs::path path = top / operation.path, to = top / operation.to;
  switch (operation.kind) {
    case Kind::make_file: {
      const notify_core::sys::Fd made(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
      return;
    }
    case Kind::make_directory:
      static_cast<void>(::mkdir(path.c_str(), 0700));
      return;
    case Kind::rename:
      static_cast<void>(::rename(path.c_str(), to.c_str()));
      return;
    case Kind::exchange:
      static_cast<void>(::renameat2(AT_FDCWD, path.c_str(), AT_FDCWD, to.c_str(), RENAME_EXCHANGE));
      return;
    case Kind::remove:
      static_cast<void>(::remove(path.c_str()));
      return;
  }
}

}  // namespace interleaving
