// SPDX-License-Identifier: GPL-2.0-or-later
#include "backend/fanotify_queue.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include <string>

#include "event/event_mask.hpp"
#include "fanotify_bytes.hpp"

using namespace notify_core;
using namespace fanotify_bytes;

namespace {

// A pipe in the place of the kernel's queue.
struct Kernel {
  Kernel() {
    int ends[2];
    REQUIRE(::pipe2(ends, O_NONBLOCK | O_CLOEXEC) == 0);
    from.reset(ends[0]);
    to.reset(ends[1]);
  }
  void queues(const std::string& records) const {
    REQUIRE(::write(to.get(), records.data(), records.size()) == static_cast<ssize_t>(records.size()));
  }
  sys::Fd from, to;
};

const std::string made = record(FAN_CREATE, 1, info(dfid_name, key(1, "d"), "f") + info(fid, key(1, "f")));

}  // namespace

TEST_CASE("nothing is read ahead over an overflow, and all of it afterwards") {
  Kernel kernel;
  backend::FanotifyQueue queue(std::move(kernel.from));
  kernel.queues(made + made);
  REQUIRE(queue.fill() > 0);
  backend::FanotifyEvent event;
  REQUIRE(queue.next(event));
  kernel.queues(record(FAN_Q_OVERFLOW, 0, {}) + made);
  CHECK(queue.read_on());  // it was not known of until now
  kernel.queues(made);
  CHECK_FALSE(queue.read_on());
  REQUIRE(queue.next(event));
  CHECK_FALSE(queue.read_on());
  REQUIRE(queue.next(event));
  REQUIRE(event.mask == mask::q_overflow);
  CHECK(queue.read_on());
  CHECK(queue.next(event));
  CHECK(queue.next(event));
  CHECK_FALSE(queue.next(event));
}
