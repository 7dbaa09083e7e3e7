// SPDX-License-Identifier: GPL-2.0-or-later
#include "inotifysync/loop/process.hpp"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <climits>
#include <csignal>

#include "inotifysync/loop/process_group.hpp"
#include "sys/syscall.hpp"

namespace inotifysync {
namespace {

namespace sys = notify_core::sys;

struct Pipe {
  sys::Fd read_end, write_end;
};

Result<Pipe> make_pipe() {
  std::array<int, 2> ends;
  if (::pipe2(ends.data(), O_CLOEXEC) < 0) return sys::error(-errno, "pipe2");
  return Pipe{sys::Fd(ends[0]), sys::Fd(ends[1])};
}

void make_non_blocking(int fd) {
  ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
}

std::vector<char*> pointers(const std::vector<std::string>& strings) {
  std::vector<char*> all;
  for (const std::string& one : strings) all.push_back(const_cast<char*>(one.c_str()));
  all.push_back(nullptr);
  return all;
}

std::vector<std::string> environment_with(const std::vector<std::string>& added) {
  std::vector<std::string> all(added);
  for (char** one = environ; *one != nullptr; ++one) {
    const std::string_view entry(*one);
    const std::string_view name = entry.substr(0, entry.find('=') + 1);
    bool replaced = false;
    for (const std::string& ours : added) replaced = replaced || ours.starts_with(name);
    if (!replaced) all.emplace_back(entry);
  }
  return all;
}

// What the child does between vfork(2) and execvpe(3). It borrows our memory until then, so it calls nothing
// but the kernel and touches nothing of ours but `failed`. posix_spawn(3) would do, could it ask for a signal
// at our death.
struct Launch {
  char* const* arguments;
  char* const* environment;
  std::array<int, 3> streams;
  std::array<int, 2> kept_open;
  pid_t parent;

  // rsync gives up where it cannot say where it is; the directory that we were started in may be gone.
  static void stand_somewhere() {
    char here[PATH_MAX];
    if (::syscall(SYS_getcwd, here, sizeof here) < 0 && ::chdir("/") < 0) ::_exit(127);
  }

  [[noreturn]] void in_child(volatile int& failed) const {
    ::setpgid(0, 0);
    // Whoever kills us must not have an rsync go on with what is no longer true.
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (::getppid() != parent) ::_exit(127);
    for (int stream = 0; stream < 3; ++stream) ::dup2(streams[static_cast<std::size_t>(stream)], stream);
    for (const int fd : kept_open)
      if (fd >= 0) ::fcntl(fd, F_SETFD, 0);
    stand_somewhere();
    ::signal(SIGPIPE, SIG_DFL);
    ::signal(SIGXFSZ, SIG_DFL);
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    ::execvpe(arguments[0], arguments, environment);
    failed = errno;
    ::_exit(127);
  }
};

// The child's number, or minus the errno.
pid_t launch(const ChildCommand& command, const Pipe& input, const Pipe& output, const Pipe& error_output) {
  const auto environment = environment_with(command.environment);
  const auto arguments = pointers(command.arguments), variables = pointers(environment);
  const Launch plan{arguments.data(),
                    variables.data(),
                    {input.read_end.get(), output.write_end.get(), error_output.write_end.get()},
                    command.kept_open,
                    ::getpid()};
  volatile int failed = 0;
  const pid_t pid = ::vfork();
  if (pid == 0) plan.in_child(failed);
  if (pid < 0) return -errno;
  if (failed == 0) return pid;
  ::waitpid(pid, nullptr, 0);
  return -failed;
}

// "rchar: 123" and "wchar: 456" of /proc/PID/io, added up.
std::optional<std::uint64_t> bytes_moved_by(pid_t pid) {
  const sys::Fd file(sys::open_at(AT_FDCWD, ("/proc/" + std::to_string(pid) + "/io").c_str(), O_RDONLY));
  std::array<char, 512> text;
  const auto size = file ? sys::read(file.get(), text.data(), text.size()) : -1;
  if (size <= 0) return std::nullopt;
  const std::string_view all(text.data(), static_cast<std::size_t>(size));
  std::uint64_t sum = 0;
  for (const std::string_view key : {"rchar: ", "wchar: "}) {
    const auto at = all.find(key);
    if (at == std::string_view::npos) return std::nullopt;
    std::uint64_t number = 0;
    std::from_chars(all.data() + at + key.size(), all.data() + all.size(), number);
    sum += number;
  }
  return sum;
}

using namespace std::chrono_literals;

constexpr Duration group_look = 5ms;        // at those that a child left behind, seldomer by and by
constexpr Duration group_patience = 500ms;  // until they are told to end, and once more until they are killed
constexpr Duration group_given_up = 3s;     // what not even a signal ends is stuck in the kernel

class LoopChild : public Child {
 public:
  // `children`: those that nobody has waited for.
  LoopChild(EventLoop& loop, ChildListener& listener, std::set<pid_t>& children, pid_t pid, sys::Fd pidfd)
      : loop_(loop), listener_(listener), children_(children), pid_(pid), pidfd_(std::move(pidfd)) {
    children_.insert(pid_);
  }
  LoopChild(const LoopChild&) = delete;
  LoopChild& operator=(const LoopChild&) = delete;

  ~LoopChild() override {
    *alive_ = false;
    children_.erase(pid_);
    forget(input_);
    forget(output_);
    forget(error_output_);
    if (!pidfd_ && group_ended_) return;
    ::kill(-pid_, SIGKILL);
    if (pidfd_) {
      loop_.remove(pidfd_.get());
      siginfo_t info;
      ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED);
    }
    await_end_of_group(pid_);
  }

  Result<void> listen(sys::Fd input, sys::Fd output, sys::Fd error_output) {
    for (const int fd : {input.get(), output.get(), error_output.get()}) make_non_blocking(fd);
    input_ = std::move(input);
    output_ = std::move(output);
    error_output_ = std::move(error_output);
    if (auto added = loop_.add(output_.get(), EPOLLIN, [this](std::uint32_t) { hear(output_, true); });
        !added)
      return added;
    if (auto added =
            loop_.add(error_output_.get(), EPOLLIN, [this](std::uint32_t) { hear(error_output_, false); });
        !added)
      return added;
    return loop_.add(pidfd_.get(), EPOLLIN, [this](std::uint32_t) { ended(); });
  }

  void give_input(std::string bytes) override {
    pending_input_ = std::move(bytes);
    if (!feed()) return;
    if (auto added = loop_.add(input_.get(), EPOLLOUT, [this](std::uint32_t) { feed(); }); !added)
      end(Duration{1});
  }

  void end(Duration grace) override {
    if (!pidfd_) return;
    ::kill(-pid_, SIGTERM);
    ::kill(-pid_, SIGCONT);  // a stopped child hears nothing else but SIGKILL
    grace_ = loop_.timer([this] { ::kill(-pid_, SIGKILL); });
    grace_->set(grace);
  }

  std::optional<std::uint64_t> bytes_moved() const override { return bytes_moved_by(pid_); }
  int pid() const override { return pid_; }

 private:
  void forget(sys::Fd& fd) {
    if (fd) loop_.remove(fd.get());
    fd.reset();
  }

  // True while something is left to write and the pipe is full.
  bool feed() {
    while (fed_ < pending_input_.size()) {
      const auto written =
          sys::write(input_.get(), pending_input_.data() + fed_, pending_input_.size() - fed_);
      if (written == -EAGAIN) return true;
      if (written < 0) break;  // EPIPE: it does not want the rest; its exit says why
      fed_ += static_cast<std::size_t>(written);
    }
    forget(input_);
    pending_input_ = {};
    return false;
  }

  // Reads until the pipe is empty. False: this child was destroyed by the listener.
  bool hear(sys::Fd& from, bool is_output) {
    const auto alive = alive_;
    std::array<char, 65536> buffer;
    while (from) {
      const auto size = sys::read(from.get(), buffer.data(), buffer.size());
      if (size == -EAGAIN || size == -EINTR) break;
      if (size <= 0) {
        forget(from);
        break;
      }
      const std::string_view bytes(buffer.data(), static_cast<std::size_t>(size));
      is_output ? listener_.on_output(bytes) : listener_.on_error_output(bytes);
      if (!*alive) return false;
    }
    return true;
  }

  // Does not wait for the pipes' end: a grandchild (ssh's shared connection) may hold them open for hours.
  void ended() {
    siginfo_t info{};
    const int status = ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG);
    if (status == 0 && info.si_pid == 0) return;
    if (status < 0) {  // somebody else has waited for it: how it ended, nobody can say
      if (errno != ECHILD) return;
      info.si_code = CLD_KILLED;
      info.si_status = SIGKILL;
    }
    loop_.remove(pidfd_.get());
    pidfd_.reset();
    grace_.reset();
    children_.erase(pid_);
    reap_what_was_left(children_);
    how_ = ChildExit{info.si_code != CLD_EXITED, info.si_status};
    ended_at_ = loop_.now();
    look_after_group();
  }

  // What rsync has forked may outlive it by a moment, at work in a target that somebody is about to unmount.
  void look_after_group() {
    const Duration since = loop_.now() - ended_at_;
    group_ended_ = !is_group_alive(pid_);
    if (!group_ended_ && since < group_given_up) {
      if (since >= group_patience) ::kill(-pid_, since < 2 * group_patience ? SIGTERM : SIGKILL);
      if (!group_timer_) group_timer_ = loop_.timer([this] { look_after_group(); });
      return group_timer_->set(std::max<Duration>(group_look, since / 4));
    }
    if (!hear(output_, true) || !hear(error_output_, false)) return;
    listener_.on_exit(how_);
  }

  EventLoop& loop_;
  ChildListener& listener_;
  std::set<pid_t>& children_;
  pid_t pid_;
  sys::Fd pidfd_;  // empty once the child has ended
  sys::Fd input_, output_, error_output_;
  std::string pending_input_;
  std::size_t fed_ = 0;
  std::unique_ptr<Timer> grace_, group_timer_;
  ChildExit how_;
  Clock::time_point ended_at_;
  bool group_ended_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace

Result<std::unique_ptr<Child>> LoopSpawner::start(const ChildCommand& command, ChildListener& listener) {
  auto input = make_pipe();
  auto output = make_pipe();
  auto error_output = make_pipe();
  for (const auto* pipe : {&input, &output, &error_output})
    if (!*pipe) return pipe->error();
  const pid_t pid = launch(command, *input, *output, *error_output);
  if (pid < 0) return sys::error(pid, "execve", command.arguments.front());
  sys::Fd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  const int status = pidfd ? 0 : -errno;
  auto child = std::make_unique<LoopChild>(loop_, listener, children_, pid, std::move(pidfd));
  if (status < 0) {
    ::kill(-pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    return sys::error(status, "pidfd_open", command.arguments.front());
  }
  auto listening = child->listen(std::move(input->write_end), std::move(output->read_end),
                                 std::move(error_output->read_end));
  if (!listening) return listening.error();
  return std::unique_ptr<Child>(std::move(child));
}

}  // namespace inotifysync
