// SPDX-License-Identifier: GPL-2.0-or-later
#include "inotifysync/report/patient_stream.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>

using namespace inotifysync;
using notify_core::sys::Fd;

namespace {

std::string read_all(int fd) {
  std::string text;
  std::array<char, 65536> buffer;
  ::fcntl(fd, F_SETFL, O_NONBLOCK);
  for (ssize_t size = 0; (size = ::read(fd, buffer.data(), buffer.size())) > 0;)
    text.append(buffer.data(), static_cast<std::size_t>(size));
  return text;
}

}  // namespace

TEST_CASE("a reader that stands still keeps nobody waiting, and is told what it has missed") {
  for (const bool is_pipe : {true, false}) {
    std::array<int, 2> ends{};
    REQUIRE((is_pipe ? ::pipe(ends.data()) : ::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data())) == 0);
    const Fd reads(ends[0]), writes(ends[1]);
    PatientStream stream(writes.get());
    const std::string line = std::string(99, 'x') + "\n";
    for (int n = 0; n < 20'000; ++n) REQUIRE(stream.write(line) == 0);
    std::string said = read_all(reads.get());
    while (true) {
      REQUIRE(stream.write("end\n") == 0);
      const std::string more = read_all(reads.get());
      said += more;
      if (more.ends_with("end\n")) break;
    }
    CHECK(said.starts_with(line));
    CHECK(said.find(" lines were lost here, as nobody read them\n") != std::string::npos);
    std::size_t whole = 0;
    for (std::size_t at = 0; (at = said.find(line, at)) != std::string::npos; at += line.size()) ++whole;
    CHECK(whole < 20'000);
    CHECK(whole > 600);
  }
}

TEST_CASE("what nobody can read any more is an error, and not kept") {
  std::array<int, 2> ends{};
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()) == 0);
  const Fd writes(ends[1]);
  Fd(ends[0]).reset();
  PatientStream stream(writes.get());
  CHECK(stream.write("a\n") == -EPIPE);
}
