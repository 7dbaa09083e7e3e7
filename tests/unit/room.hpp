// SPDX-License-Identifier: GPL-2.0-or-later
// A directory of a test's own, gone with all that is in it when the test is over.
#pragma once

#include <doctest/doctest.h>
#include <stdlib.h>

#include <filesystem>
#include <string>

class Room {
 public:
  Room() {
    std::string pattern = (std::filesystem::temp_directory_path() / "notify-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    path_ = pattern;
  }
  Room(const Room&) = delete;
  Room& operator=(const Room&) = delete;
  ~Room() { std::filesystem::remove_all(path_); }

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path at(const std::string& below) const { return path_ / below; }

 private:
  std::filesystem::path path_;
};
