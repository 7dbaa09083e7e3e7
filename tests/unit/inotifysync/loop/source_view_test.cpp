// SPDX-License-Identifier: GPL-2.0-or-later
#include "inotifysync/loop/source_view.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

#include "inotifysync/loop/system.hpp"
#include "room.hpp"

using namespace inotifysync;
namespace fs = std::filesystem;

TEST_CASE("what is planned through the open source sees no other that stands at its path meanwhile") {
  const Room room;
  fs::create_directories(room.at("t/d"));
  std::ofstream(room.at("t/d/file")) << "1";
  SourceView view(room.at("t"));
  const auto source = open_source(room.at("t/"));
  REQUIRE(source);
  fs::rename(room.at("t"), room.at("away"));
  fs::create_directory(room.at("t"));
  CHECK(view.lstat("d/file").type == FileInfo::Type::missing);

  view.look_through(source.get());
  CHECK(view.lstat("d/file").type == FileInfo::Type::file);
  CHECK(view.lstat("").type == FileInfo::Type::directory);
  std::vector<std::string> names;
  CHECK(view.list("", [&](std::string_view name) { names.emplace_back(name); }));
  CHECK(names == std::vector<std::string>{"d"});

  view.look_by_path();
  CHECK(view.lstat("d").type == FileInfo::Type::missing);
}
