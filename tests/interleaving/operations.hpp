// SPDX-License-Identifier: GPL-2.0-or-later
// Random changes of two trees, `t`, which is watched, and `o` beside it, each one system call long, so that
// others can come between any two of them. Out of a seed comes always the same list.
#pragma once

#include <cstddef>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

namespace interleaving {

struct Operation {
  enum class Kind { make_file, make_directory, rename, exchange, remove };
  Kind kind = Kind::make_file;
  std::string path;
  std::string to{};  // of a rename or an exchange
};

std::string describe(const Operation& operation);

// Does it below `top`; what is not possible (any more) is passed over.
void perform(const Operation& operation, const std::filesystem::path& top);

// `exchanges`: two entries may change places, too.
std::vector<Operation> make_operations(std::mt19937& random, std::size_t count, bool exchanges, bool inside);

}  // namespace interleaving
