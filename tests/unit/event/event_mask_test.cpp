// SPDX-License-Identifier: GPL-2.0-or-later
#include "event/event_mask.hpp"

#include <doctest/doctest.h>
#include <sys/inotify.h>

using namespace notify_core;

TEST_CASE("the public bits are the kernel's") {
  CHECK(mask::access == IN_ACCESS);
  CHECK(mask::modify == IN_MODIFY);
  CHECK(mask::attrib == IN_ATTRIB);
  CHECK(mask::close_write == IN_CLOSE_WRITE);
  CHECK(mask::close_nowrite == IN_CLOSE_NOWRITE);
  CHECK(mask::open == IN_OPEN);
  CHECK(mask::moved_from == IN_MOVED_FROM);
  CHECK(mask::moved_to == IN_MOVED_TO);
  CHECK(mask::create == IN_CREATE);
  CHECK(mask::remove == IN_DELETE);
  CHECK(mask::delete_self == IN_DELETE_SELF);
  CHECK(mask::move_self == IN_MOVE_SELF);
  CHECK(mask::unmount == IN_UNMOUNT);
  CHECK(mask::q_overflow == IN_Q_OVERFLOW);
  CHECK(mask::ignored == IN_IGNORED);
  CHECK(mask::is_directory == IN_ISDIR);
  CHECK(mask::all_events == IN_ALL_EVENTS);
}

TEST_CASE("names parse in any case, and nothing else does") {
  CHECK(event::parse_one("create") == mask::create);
  CHECK(event::parse_one("ClOsE_wRiTe") == mask::close_write);
  CHECK(event::parse_one("move") == mask::move);
  CHECK_FALSE(event::parse_one("creat").has_value());
  CHECK_FALSE(event::parse_one("").has_value());
}

TEST_CASE("labels come in upstream's order") {
  std::string out;
  event::append_labels(out, mask::close_write, ',');
  CHECK(out == "CLOSE_WRITE,CLOSE");
  out.clear();
  event::append_labels(out, mask::create | mask::is_directory, 'X');
  CHECK(out == "CREATEXISDIR");
}
