// SPDX-License-Identifier: GPL-2.0-or-later
// A program of somebody else's, who has only what is installed: prints the first event below a directory.
#include <cstdio>
#include <notify_core/format.hpp>
#include <notify_core/watcher.hpp>
#include <string>

namespace {

class FirstEvent : public notify_core::EventSink {
 public:
  bool on_event(const notify_core::Event& event) override {
    std::string line;
    format_.append(line, event);
    std::fputs(line.c_str(), stdout);
    seen = true;
    return false;
  }
  bool seen = false;

 private:
  notify_core::Format format_ = notify_core::Format::standard();
};

}  // namespace

int main(int, char** argv) {
  auto watcher = notify_core::Watcher::create({.mask = notify_core::mask::create, .recursive = true});
  if (!watcher || !watcher->add(argv[1])) return 1;
  std::puts("watching");
  std::fflush(stdout);
  FirstEvent sink;
  while (!sink.seen) {
    if (!watcher->wait(std::nullopt, sink)) return 1;
  }
  return 0;
}
