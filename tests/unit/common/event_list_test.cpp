// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/event_list.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "event/event_mask.hpp"

using namespace notify_core;
using notify_tools::event_rows;
using notify_tools::parse_event_list;

TEST_CASE("lists of events, in any case") {
  CHECK(parse_event_list("create") == mask::create);
  CHECK(parse_event_list("Create,DELETE,close") == (mask::create | mask::remove | mask::close));
}

TEST_CASE("an empty name makes the list say nothing, and ends it") {
  for (const char* list : {"", "create,", ",bogus", "unmount,,bogus"}) {
    CHECK_MESSAGE(parse_event_list(list) == EventMask{0}, list);
  }
}

TEST_CASE("what is no event") {
  CHECK_FALSE(parse_event_list("bogus").has_value());
  CHECK_FALSE(parse_event_list("create,bogus,").has_value());
  CHECK_FALSE(parse_event_list(" create").has_value());
  CHECK_FALSE(parse_event_list("create delete").has_value());
}

TEST_CASE("help names every event that has a line of help") {
  const std::string rows = event_rows();
  for (const event::EventKind& kind : event::kinds) {
    const bool named = rows.find(fmt::format("\t{}\t", kind.name)) != std::string::npos;
    CHECK_MESSAGE(named == !kind.help.empty(), kind.name);
  }
}
