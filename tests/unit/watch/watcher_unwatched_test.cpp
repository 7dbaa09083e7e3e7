// SPDX-License-Identifier: GPL-2.0-or-later
// Directories of the tree that are not watched for a while, as something hid them or watches ran out.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "watch/watcher_scene.hpp"

namespace {

using namespace watcher_scene;

using Lines = std::vector<std::string>;

Kept unmount_of(int watch) {
  Kept kept;
  kept.record.watch = watch;
  kept.record.mask = mask::unmount | mask::is_directory;
  return kept;
}

}  // namespace

TEST_CASE("what an unmounted filesystem had hidden is watched, in whatever order its end is told") {
  for (const bool lowest_first : {false, true}) {
    CAPTURE(lowest_first);
    Scene scene;
    fs::create_directories(scene.at("t/m/s"));
    scene.watch();
    scene.settle();
    std::vector<int> watches;
    scene.tree().for_each([&](watch::NodeId node) {
      if (!scene.tree().is_root(node)) watches.push_back(scene.tree().watch(node));
    });
    std::ranges::sort(watches);
    if (lowest_first) std::ranges::reverse(watches);
    Queue told;  // the directories that the tests can have stay, and come under watch anew
    for (const int watch : watches) {
      told.push_back(unmount_of(watch));
      scene.queue().remove(watch);
    }
    scene.queue().deal([&](Queue& queue) {
      queue.insert(queue.begin(), told.begin(), told.end());
      told.clear();
      return queue.size();
    });
    const Lines said = scene.settle();
    CHECK(std::ranges::count_if(said, [](const auto& line) { return line.starts_with("CREATE"); }) == 0);
    scene.queue().deal({});
    CHECK(scene.tree().size() == 3);
    for (const char* const path : {"t", "t/m", "t/m/s"})
      CHECK(scene.place_of_file_in(path) == std::string("CREATE ") + path + "/probe");
  }
}
