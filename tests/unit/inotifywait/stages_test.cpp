// SPDX-License-Identifier: GPL-2.0-or-later
// What events go through between the watcher and the line: followed names, joined moves, settling.
#include <doctest/doctest.h>

#include "inotifywait/followed_names.hpp"
#include "inotifywait/move_pairs.hpp"
#include "inotifywait/settle.hpp"

using namespace notify_core;
using namespace notify_tools::inotifywait;
using namespace std::chrono_literals;

namespace {

const Time start = Time() + 1h;

Event event_of(EventMask mask, std::string_view name, std::uint32_t cookie = 0) {
  Event event;
  event.mask = mask;
  event.watched = "d/";
  event.name = name;
  event.cookie = cookie;
  return event;
}

// "mask:path<old path" of everything that was handed on, in order.
struct Heard {
  std::string text;
  Emit emit = [this](const Event& event) {
    if (!text.empty()) text += ' ';
    text += std::to_string(event.mask);
    text.append(":").append(event.watched).append(event.name);
    if (!event.old_path.empty()) text.append("<").append(event.old_path);
  };
};

}  // namespace

TEST_CASE("two halves become one event, with the old path") {
  MovePairs moves;
  Heard heard;
  moves.take(event_of(mask::moved_from, "a", 7), start, heard.emit);
  CHECK(heard.text.empty());
  CHECK(moves.next_due().has_value());
  moves.take(event_of(mask::moved_to, "b", 7), start, heard.emit);
  CHECK(heard.text == "192:d/b<d/a");
  CHECK_FALSE(moves.next_due().has_value());
}

TEST_CASE("what comes between the halves keeps its place") {
  MovePairs moves;
  Heard heard;
  moves.take(event_of(mask::create, "x"), start, heard.emit);
  moves.take(event_of(mask::moved_from, "a", 7), start, heard.emit);
  moves.take(event_of(mask::modify, "y"), start, heard.emit);
  moves.take(event_of(mask::moved_from, "p", 8), start, heard.emit);
  moves.take(event_of(mask::moved_to, "b", 7), start, heard.emit);
  CHECK(heard.text == "256:d/x 2:d/y");
  moves.take(event_of(mask::moved_to, "q", 8), start, heard.emit);
  CHECK(heard.text == "256:d/x 2:d/y 192:d/b<d/a 192:d/q<d/p");
}

TEST_CASE("a half without its other goes on after a moment, and so does what waited behind it") {
  MovePairs moves;
  Heard heard;
  moves.take(event_of(mask::moved_to, "in", 3), start, heard.emit);
  moves.take(event_of(mask::moved_from, "out", 4), start, heard.emit);
  moves.take(event_of(mask::create, "x"), start, heard.emit);
  moves.expire(start + MovePairs::patience - 1ns, heard.emit);
  CHECK(heard.text == "128:d/in");
  moves.expire(start + MovePairs::patience, heard.emit);
  CHECK(heard.text == "128:d/in 64:d/out 256:d/x");
  moves.take(event_of(mask::moved_from, "late", 5), start, heard.emit);
  moves.finish(heard.emit);
  CHECK(heard.text == "128:d/in 64:d/out 256:d/x 64:d/late");
}

TEST_CASE("a path is told of once, when it has been quiet") {
  Settle settle(1s);
  Heard heard;
  settle.take(event_of(mask::create, "a"), start);
  settle.take(event_of(mask::create, "b"), start + 100ms);
  settle.take(event_of(mask::close_write, "a"), start + 900ms);
  settle.expire(start + 1s, heard.emit);
  CHECK(heard.text.empty());
  CHECK(settle.next_due() == start + 1100ms);
  settle.expire(start + 1100ms, heard.emit);
  CHECK(heard.text == "256:d/b");
  settle.expire(start + 1900ms, heard.emit);
  CHECK(heard.text == "256:d/b 264:d/a");
  CHECK_FALSE(settle.next_due().has_value());
}

TEST_CASE("nothing is kept at the end, and a path can come again") {
  Settle settle(1s);
  Heard heard;
  settle.take(event_of(mask::create, "a"), start);
  settle.finish(heard.emit);
  settle.take(event_of(mask::modify, "a"), start);
  settle.finish(heard.emit);
  CHECK(heard.text == "256:d/a 2:d/a");
}

TEST_CASE("names are followed by way of their directories") {
  FollowedNames names;
  CHECK(names.add("f", true, start));
  CHECK(names.add("a/f", true, start));
  CHECK(names.add("a//g", true, start));
  CHECK(names.add("/h", true, start));
  for (const char* path : {"d/", ".", "d/..", "/"}) CHECK_FALSE(names.add(path, true, start));
  CHECK(names.directories() == std::vector<std::string>{".", "a", "/"});

  Event event = event_of(mask::modify, "g");
  event.watched = "a/";
  REQUIRE(names.translate(event, start));
  CHECK(event.watched == "a//g");
  CHECK(event.name.empty());
  Event other = event_of(mask::modify, "x");
  other.watched = "a/";
  CHECK_FALSE(names.translate(other, start));
  Event itself = event_of(mask::attrib, "");
  itself.watched = "a/";
  CHECK_FALSE(names.translate(itself, start));
}

TEST_CASE("a name is gone when it has been missing for a while") {
  FollowedNames names;
  names.add("d/f", true, start);
  names.add("d/g", true, start);
  CHECK_FALSE(names.all_gone().has_value());
  Event removed = event_of(mask::remove, "f");
  names.translate(removed, start);
  Event moved = event_of(mask::moved_from, "g");
  names.translate(moved, start + 1s);
  CHECK(names.all_gone() == start + 1s + FollowedNames::patience);
  Event back = event_of(mask::moved_to, "g");
  names.translate(back, start + 1500ms);
  CHECK_FALSE(names.all_gone().has_value());
}

TEST_CASE("what a file's own events are called in its directory") {
  CHECK(events_of_entry(mask::modify) == mask::modify);
  CHECK(events_of_entry(mask::delete_self | mask::move_self) == (mask::remove | mask::moved_from));
}
