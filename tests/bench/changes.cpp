// SPDX-License-Identifier: GPL-2.0-or-later
// What inotifysync's own work costs, without any rsync: scripts/bench runs it.
//
//   changes build PATHS    marks so many paths in a change set: seconds of processor time, megabytes at most
//   changes plan TREE      plans a batch of ten files far apart in TREE, made by `load tree wide`, again and
//                          again: median microseconds of processor time
#include <dirent.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "inotifysync/changes/batch.hpp"
#include "inotifysync/changes/change_set.hpp"
#include "inotifysync/loop/source_view.hpp"

namespace {

using namespace inotifysync;

double processor_seconds() {
  std::timespec time{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

// Not getrusage(2)'s, which begins with what the program that started this one had at most.
double peak_megabytes() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    double kilobytes = 0;
    if (word == "VmHWM:" && status >> kilobytes) return kilobytes * 1024 / 1e6;
  }
  return 0;
}

int build(std::size_t paths) {
  constexpr std::size_t in_a_directory = 1000;
  const double memory = peak_megabytes();
  const double start = processor_seconds();
  ChangeSet set(2 * paths);  // the usual bound would gather some of them into their directories
  for (std::size_t i = 0; i < paths; ++i) {
    char path[64];
    const std::size_t directory = i / in_a_directory;
    const int length = std::snprintf(path, sizeof path, "part%zu/directory%zu/file-number-%zu",
                                     directory / 100, directory % 100, i % in_a_directory);
    set.mark({path, static_cast<std::size_t>(length)}, dirt::content | dirt::created);
  }
  if (set.size() != paths) return 1;
  std::printf("%.4f %.1f\n", processor_seconds() - start, peak_megabytes() - memory);
  return 0;
}

// Ten of the tree's topmost directories, as far apart as their listing has them.
std::vector<std::string> scattered_files(const std::string& tree) {
  std::vector<std::string> parts;
  const std::unique_ptr<DIR, int (*)(DIR*)> listing(::opendir(tree.c_str()), &::closedir);
  while (const dirent* entry = listing ? ::readdir(listing.get()) : nullptr) {
    if (std::strncmp(entry->d_name, "part", 4) == 0) parts.emplace_back(entry->d_name);
  }
  std::vector<std::string> files;
  for (std::size_t i = 0; i < 10 && !parts.empty(); ++i) {
    files.push_back(parts[i * parts.size() / 10] + "/directory" + std::to_string(i) + "/file0");
  }
  return files;
}

int plan(const std::string& tree) {
  const std::vector<std::string> files = scattered_files(tree);
  SourceView view(tree);
  PlanOptions options;
  options.deletion = Deletion::missing_args;
  std::vector<double> times;
  for (int round = 0; round < 501; ++round) {
    ChangeSet set;
    for (const std::string& file : files) set.mark(file, dirt::content);
    view.begin_plan();
    const double start = processor_seconds();
    if (plan_batch(set, view, options).paths != files.size()) return 1;
    times.push_back(processor_seconds() - start);
  }
  std::nth_element(times.begin(), times.begin() + 250, times.end());
  std::printf("%.2f\n", times[250] * 1e6);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view what = argc == 3 ? argv[1] : "";
  if (what == "build") return build(std::strtoul(argv[2], nullptr, 10));
  if (what == "plan") return plan(argv[2]);
  std::fputs("usage: changes build PATHS | plan TREE\n", stderr);
  return 64;
}
