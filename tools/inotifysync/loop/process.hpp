// SPDX-License-Identifier: GPL-2.0-or-later
// Children: started from an argument vector, never through a shell; fed, heard and ended without blocking.
#pragma once

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "inotifysync/loop/event_loop.hpp"

namespace inotifysync {

// How a child ended. A signal is never an exit status.
struct ChildExit {
  bool signalled = false;
  int number = 0;  // the exit status, or the signal's number
};

class ChildListener {
 public:
  virtual ~ChildListener() = default;
  virtual void on_output(std::string_view bytes) = 0;  // stdout, as it comes
  virtual void on_error_output(std::string_view bytes) = 0;
  // The last call: all that was in the pipes has been handed on, and what the child had left behind in its
  // process group has ended, too. The child may be destroyed in here.
  virtual void on_exit(ChildExit how) = 0;
};

struct ChildCommand {
  std::vector<std::string> arguments;    // the first is the program, looked up in PATH
  std::vector<std::string> environment;  // "NAME=value", added to our own
  // Descriptors of ours that the child has under the same numbers; -1: none.
  std::array<int, 2> kept_open = {-1, -1};
};

// One running child, in a process group of its own. Destroying it kills the group, waits until it is gone,
// and calls nobody. When we are killed, it gets SIGTERM.
class Child {
 public:
  virtual ~Child() = default;
  // Writes `bytes` to the child's stdin as fast as it reads, then closes it. Once a child.
  virtual void give_input(std::string bytes) = 0;
  // SIGTERM for the group, SIGKILL when it has not ended after `grace`. on_exit() still comes.
  virtual void end(Duration grace) = 0;
  // Bytes that the child itself has read and written so far, whatever they were; stands still when it hangs.
  virtual std::optional<std::uint64_t> bytes_moved() const = 0;
  virtual int pid() const = 0;
};

class Spawner {
 public:
  virtual ~Spawner() = default;
  // `listener` must live until on_exit() or until the child is destroyed. An error is one of pipe2(2),
  // execve(2) or pidfd_open(2); a program that does not exist is one too.
  virtual Result<std::unique_ptr<Child>> start(const ChildCommand& command, ChildListener& listener) = 0;
};

// Lives longer than its children.
class LoopSpawner : public Spawner {
 public:
  explicit LoopSpawner(EventLoop& loop) : loop_(loop) {}
  Result<std::unique_ptr<Child>> start(const ChildCommand& command, ChildListener& listener) override;

 private:
  EventLoop& loop_;
  std::set<pid_t> children_;  // those that nobody has waited for
};

}  // namespace inotifysync
