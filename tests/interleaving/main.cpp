// SPDX-License-Identifier: GPL-2.0-or-later
// interleaving [--inside] [FIRST [COUNT]]: plays that many seeds, and tells the story of a short one that
// fails, shortened. --inside: nothing comes from elsewhere, so all that comes to be must be told.
#include <sysexits.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <random>
#include <string_view>
#include <system_error>
#include <vector>

#include "backend/inotify_backend.hpp"
#include "player.hpp"

namespace {

using namespace interleaving;

struct Case {
  std::vector<Operation> operations;
  std::uint32_t schedule = 0;
};

Case make_case(std::uint32_t seed, bool inside) {
  std::mt19937 random(seed);
  const std::size_t sizes[] = {6, 12, 25, 60};
  const std::size_t size = sizes[random() % 4];
  const bool exchanges = random() % 4 == 0;
  return {make_operations(random, size, exchanges, inside), seed};
}

class Shrinker {
 public:
  explicit Shrinker(notify_core::backend::WatchBackend& inotify) : inotify_(inotify) {}

  // Takes out whatever can go, as long as it fails.
  Case shrink(Case failing) {
    for (std::size_t size = failing.operations.size() / 2; size > 0;) {
      const std::size_t before = failing.operations.size();
      for (std::size_t at = 0; at < failing.operations.size();) {
        if (!fails_without(failing, at, size)) at += size;
      }
      if (size > 1 || failing.operations.size() == before) size /= 2;
    }
    return failing;
  }

 private:
  // Then that becomes the case.
  bool fails_without(Case& failing, std::size_t at, std::size_t size) {
    Case tried = failing;
    const auto begin = tried.operations.begin();
    const std::size_t end = std::min(tried.operations.size(), at + size);
    tried.operations.erase(begin + static_cast<std::ptrdiff_t>(at), begin + static_cast<std::ptrdiff_t>(end));
    constexpr int schedules = 200;
    for (int i = 0; i < schedules; ++i, ++tried.schedule) {
      if (play(tried.operations, tried.schedule, inotify_).faults.empty()) continue;
      failing = tried;
      return true;
    }
    return false;
  }

  notify_core::backend::WatchBackend& inotify_;
};

void tell(const Case& failing, const Outcome& outcome) {
  for (const Operation& operation : failing.operations) std::printf("%s\n", describe(operation).c_str());
  std::printf("\nHow it went (operations to the left, system calls and records, then lines):\n\n");
  for (const std::string& line : outcome.story) std::printf("%s\n", line.c_str());
  std::printf("\n");
  for (const std::string& line : outcome.faults) std::printf("%s\n", line.c_str());
}

// False where it is no number.
bool read_number(std::string_view text, std::uint32_t& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

int main(int argc, char** argv) {
  const bool inside = argc > 1 && std::string_view(argv[1]) == "--inside";
  if (inside) --argc, ++argv;
  std::uint32_t first = 1, count = 1000;
  const bool good = (argc < 2 || read_number(argv[1], first)) && (argc < 3 || read_number(argv[2], count));
  if (!good || argc > 3) {
    std::fprintf(stderr,
                 "interleaving: a seed and how many, two numbers: interleaving [--inside] [FIRST [COUNT]]\n");
    return EX_USAGE;
  }
  std::setvbuf(stdout, nullptr, _IOLBF, 0);  // a failure shows at once, also where it goes into a file
  const auto inotify = notify_core::backend::InotifyBackend::create().value();
  unsigned failed = 0;
  Case shortest;
  for (std::uint32_t seed = first; seed < first + count; ++seed) {
    const Case played = make_case(seed, inside);
    if (play(played.operations, played.schedule, *inotify).faults.empty()) continue;
    std::printf("seed %u failed, with %zu operations\n", seed, played.operations.size());
    if (failed++ == 0 || played.operations.size() < shortest.operations.size()) shortest = played;
  }
  std::printf("%u of %u seeds failed\n", failed, count);
  if (failed == 0) return 0;
  const Case short_one = Shrinker(*inotify).shrink(shortest);
  tell(short_one, play(short_one.operations, short_one.schedule, *inotify));
  return 1;
}
