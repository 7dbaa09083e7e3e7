// SPDX-License-Identifier: GPL-2.0-or-later
#include "inotifysync/loop/places.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <future>
#include <memory>
#include <string_view>

#include "inotifysync/loop/apart.hpp"
#include "inotifysync/loop/mounts.hpp"
#include "inotifysync/loop/pattern_files.hpp"
#include "inotifysync/loop/system.hpp"

namespace inotifysync {
namespace {

// A directory as it is reached by its path, and on its disk.
struct Place {
  std::string path, on_disk;
};

struct TargetPlace {
  const Target* target;
  Place place;
  bool deletes;
};

struct SourcePlace {
  const SourceConfig* source;
  Place place;
  std::vector<TargetPlace> targets;  // the local ones
};

// Without links, as far as it is there.
std::string resolved(std::string path) {
  std::string below;
  while (true) {
    if (auto real = real_path(path)) return (*real == "/" && !below.empty() ? "" : *real) + below;
    while (path.size() > 1 && path.back() == '/') path.pop_back();
    const std::size_t slash = path.rfind('/');
    const bool is_top = slash == std::string::npos;
    if (path == "." || path == "/") return path + below;
    below.insert(0, "/" + (is_top ? path : path.substr(slash + 1)));
    path = is_top ? "." : path.substr(0, std::max<std::size_t>(slash, 1));
  }
}

bool inside(std::string_view path, std::string_view directory) {
  if (directory == "/") directory = "";
  return path.starts_with(directory) && (path.size() == directory.size() || path[directory.size()] == '/');
}

bool inside(const Place& place, const Place& directory) {
  return inside(place.path, directory.path) || inside(place.on_disk, directory.on_disk);
}

bool same(const Place& one, const Place& other) {
  return one.path == other.path || one.on_disk == other.on_disk;
}

class Survey {
 public:
  explicit Survey(const std::vector<SourceConfig>& sources) : table_(mount_table()) {
    for (const SourceConfig& source : sources) {
      SourcePlace& found = sources_.emplace_back(SourcePlace{&source, look(source.path), {}});
      for (const Target& target : source.targets)
        if (target.kind == Target::Kind::local)
          found.targets.push_back({&target, look(target.path), target.remove.value_or(source.remove)});
    }
  }

  std::string fault() const {
    std::vector<const TargetPlace*> seen;
    for (const SourcePlace& source : sources_)
      for (const TargetPlace& target : source.targets) {
        std::string fault = fault_of(source, target, seen);
        if (!fault.empty()) return fault;
        seen.push_back(&target);
      }
    return {};
  }

 private:
  Place look(const std::string& path) const {
    Place place{resolved(path), {}};
    place.on_disk = place_on_disk(table_, place.path == "/" ? "" : place.path);
    return place;
  }

  std::string fault_of(const SourcePlace& source, const TargetPlace& target,
                       const std::vector<const TargetPlace*>& seen) const {
    const std::string& from = source.source->path;
    const std::string& to = target.target->operand;
    if (inside(target.place, source.place)) return "'" + to + "' lies inside its source '" + from + "'";
    if (inside(source.place, target.place)) return "'" + to + "' holds its own source '" + from + "'";
    for (const TargetPlace* other : seen)
      if (same(other->place, target.place))
        return "'" + to + "' is the same place as '" + other->target->operand + "', a target already";
    for (const TargetPlace* other : seen) {
      if (other->deletes && inside(target.place, other->place)) return deletes_in(*other, target);
      if (target.deletes && inside(other->place, target.place)) return deletes_in(target, *other);
    }
    for (const SourcePlace& other : sources_)
      if (same(other.place, target.place) && feeds(other, source.place))
        return "'" + from + "' and '" + other.source->path + "' are targets of each other";
    return {};
  }

  static std::string deletes_in(const TargetPlace& outer, const TargetPlace& inner) {
    return "'" + inner.target->operand + "' lies inside the target '" + outer.target->operand +
           "', where its files would be deleted";
  }

  static bool feeds(const SourcePlace& source, const Place& place) {
    return std::any_of(source.targets.begin(), source.targets.end(),
                       [&](const TargetPlace& target) { return same(target.place, place); });
  }

  std::string table_;
  std::vector<SourcePlace> sources_;
};

struct OwnFile {
  const char* name;
  bool is_replaced;
  std::string given, path;
};

std::vector<OwnFile> own_files(const Config& config) {
  std::vector<OwnFile> files;
  const auto add = [&](const char* name, const std::string& path) {
    if (!path.empty()) files.push_back({name, path == config.status_file, path, resolved(path)});
  };
  add("pid file", config.pid_file);
  add("status file", config.status_file);
  add("log file", config.log_file);
  return files;
}

bool is_sent_from(const SourceConfig& source, const OwnFile& file) {
  const std::string top = resolved(source.path);
  if (!inside(file.path, top)) return false;
  const std::string below = file.path.substr(top == "/" ? 1 : top.size() + 1);
  const auto patterns = read_patterns(source.filters);
  if (!patterns || !patterns->hides(below, false)) return true;
  // Beside it stands now and then what is to take its place.
  return file.is_replaced && !patterns->hides(below + ".XXXXXX", false);
}

}  // namespace

std::string places_fault(const std::vector<SourceConfig>& sources) {
  return Survey(sources).fault();
}

std::string own_files_fault(const Config& config, bool watches) {
  const std::vector<OwnFile> files = own_files(config);
  for (auto file = files.begin(); file != files.end(); ++file) {
    for (auto other = files.begin(); other != file; ++other)
      if (other->path == file->path)
        return fmt::format("'{}' is the {} already and cannot be the {}, too", file->given, other->name,
                           file->name);
    for (const SourceConfig& source : config.sources)
      if (watches && is_sent_from(source, *file))
        return fmt::format(
            "the {} '{}' lies inside the source '{}', where each run would bring the next: put "
            "it elsewhere, or exclude '{}*'",
            file->name, file->given, source.path, file->path.substr(file->path.rfind('/') + 1));
  }
  return {};
}

std::string fault_within(std::chrono::milliseconds patience, std::function<std::string()> check) {
  const auto told = std::make_shared<std::promise<std::string>>();
  std::future<std::string> fault = told->get_future();
  if (!run_apart([told, check] { told->set_value(check()); })) return check();
  return fault.wait_for(patience) == std::future_status::ready ? fault.get() : std::string();
}

}  // namespace inotifysync
