// SPDX-License-Identifier: GPL-2.0-or-later
#include "notify_core/format.hpp"

#include <doctest/doctest.h>

using namespace notify_core;
using namespace std::string_literals;

namespace {

Event event_of(EventMask mask, std::string_view watched = "d/", std::string_view name = "f") {
  Event event;
  event.mask = mask;
  event.watched = watched;
  event.name = name;
  return event;
}

std::string line(Format& format, const Event& event) {
  std::string out;
  format.append(out, event);
  return out;
}

std::string said(std::string_view format, const Event& event, std::string_view time_format = "",
                 std::string_view ending = "\n") {
  auto compiled = Format::compile(format, time_format, ending);
  REQUIRE(compiled.has_value());
  return line(*compiled, event);
}

const Event created = event_of(mask::create);
const Event closed = event_of(mask::close_write);

}  // namespace

TEST_CASE("the line that is printed without --format") {
  Format format = Format::standard();
  CHECK(line(format, closed) == "d/ CLOSE_WRITE,CLOSE f\n");
  CHECK(line(format, event_of(mask::remove | mask::is_directory, "d/", "")) == "d/ DELETE,ISDIR \n");
}

TEST_CASE("the pieces of a format") {
  Event moved = event_of(mask::moved_from);
  moved.cookie = 0x454C;
  CHECK(said("%w|%f|%e|%c", moved) == "d/|f|MOVED_FROM|454c\n");
  CHECK(said("%0%n%%", created) == "\0\n%\n"s);
  CHECK(said("", created) == "\n");
}

TEST_CASE("events with a separator of one's own") {
  CHECK(said("%,e|%:e|% e|%xe|%%e|%Xe", closed) ==
        "CLOSE_WRITE,CLOSE|CLOSE_WRITE:CLOSE|CLOSE_WRITE CLOSE|CLOSE_WRITExCLOSE|%e|CLOSE_WRITEXCLOSE\n");
  CHECK(said("%ee", closed) == "CLOSE_WRITE,CLOSEe\n");
  CHECK(said("%%,e", closed) == "%,e\n");
  CHECK(said("%we", closed) == "d/e\n");
}

TEST_CASE("what is no sequence is itself") {
  CHECK(said("%q %z %,f %xw", created) == "%q %z %,f %xw\n");
  CHECK(said("a%", created) == "a%\n");
  CHECK(said("%,", created, "", "") == "%,");
}

TEST_CASE("without an ending a per cent sign at the end silences all") {
  CHECK(said("x%", created, "", "") == "");
  CHECK(said("%%%", created, "", "") == "");
  CHECK(said("%%", created, "", "") == "%");
}

TEST_CASE("without an ending, lines that might be empty are refused") {
  for (const char* format : {"", "%w", "%f", "%w%f"})
    CHECK_FALSE(Format::compile(format, "", "").has_value());
  for (const char* format : {"%w%f%0", "%", "%T", "%e", "%c", " %f"}) {
    CHECK(Format::compile(format, "", "").has_value());
  }
}

TEST_CASE("an ending of one's own") {
  CHECK(said("%w%f", created, "", "\0"s) == "d/f\0"s);
  CHECK(said("x%", created, "", "\0"s) == "x%\0"s);
}

TEST_CASE("time") {
  Event event = created;
  event.time = {86'400 * 365, 1'002'003};
  CHECK(said("[%T]", event, "%Y %b") == "[1971 Jan]\n");
  CHECK(said("%T", event, "%s.%N|%3N|%1N|%9N|%%N|%0N|%") == "31536000.001002003|001|0|001002003|%N|%0N|%\n");
  CHECK(said("%T%T", event, "%n") == "\n\n\n");
}

TEST_CASE("the second is put in words anew when it changes") {
  auto format = Format::compile("%T", "%s", "\n");
  Event event = created;
  for (const std::time_t second : {5, 5, 6, 5}) {
    event.time.tv_sec = second;
    CHECK(line(*format, event) == std::to_string(second) + "\n");
  }
}

TEST_CASE("an empty or too long time prints nothing at all") {
  CHECK(said("[%T]", created, "") == "");
  CHECK(said("[%T]", created, std::string(4095, 'x')) == "");
  CHECK(said("[%T]", created, std::string(5000, 'x') + "%N") == "");
  CHECK(said("%T", created, std::string(4094, 'x')).size() == 4095);
}

TEST_CASE("paths and formats of any length") {
  const std::string path(100'000, 'p');
  CHECK(said("%w%f", event_of(mask::create, path, path)).size() == 200'001);
  CHECK(said(std::string(100'000, '%'), created).size() == 50'001);
}

TEST_CASE("comma-separated values") {
  Format format = Format::csv();
  CHECK(line(format, created) == "d/,CREATE,f\n");
  CHECK(line(format, event_of(mask::close_write, "a,b/", " \"x\"")) ==
        "\"a,b/\",\"CLOSE_WRITE,CLOSE\",\" \"\"x\"\"\"\n");
}

TEST_CASE("JSON") {
  Format format = Format::json();
  Event event = event_of(mask::create | mask::is_directory, "d/", "\xff");
  event.cookie = 7;
  event.time = {0, 5};
  event.recovered = true;
  CHECK(line(format, event) ==
        "{\"watched\":\"d/\",\"name\":\"\xEF\xBF\xBD\",\"name_base64\":\"/"
        "w==\",\"events\":[\"CREATE\",\"ISDIR\"],"
        "\"cookie\":7,\"time\":\"1970-01-01T00:00:00.000000005Z\",\"dir\":true,\"recovered\":true}\n");
  event.pid = 42;
  event.recovered = false;
  event.mask = mask::create;
  CHECK(line(format, event).ends_with("\"pid\":42,\"dir\":false,\"recovered\":false}\n"));
}

TEST_CASE("joined renames have an old path to tell") {
  Event event = event_of(mask::moved_from | mask::moved_to);
  event.old_path = "d/old,";
  auto format = Format::compile("%o|%w%f|%,e", "", "\n", Format::Moves::joined);
  CHECK(line(*format, event) == "d/old,|d/f|MOVED_FROM,MOVED_TO\n");
  CHECK(said("%o", event) == "%o\n");
  Format csv = Format::csv();
  CHECK(line(csv, event) == "d/,\"MOVED_FROM,MOVED_TO\",f,\"d/old,\"\n");
  Format json = Format::json();
  CHECK(line(json, event).find(R"("name":"f","old":"d/old,","events":)") != std::string::npos);
}
