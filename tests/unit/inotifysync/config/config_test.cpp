// SPDX-License-Identifier: GPL-2.0-or-later
#include "inotifysync/config/config.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <string>

using namespace inotifysync;
using namespace std::chrono_literals;

namespace {

Config good(std::string_view text) {
  auto config = parse_config(text, "sync.toml");
  if (!config) FAIL_CHECK(config.error().path << ": " << config.error().detail);
  return config ? config.value() : Config{};
}

// "path: detail" of the error.
std::string bad(std::string_view text) {
  const auto config = parse_config(text, "sync.toml");
  return config ? "accepted" : config.error().path + ": " + config.error().detail;
}

}  // namespace

TEST_CASE("a configuration with everything in it") {
  const Config config = good(R"(
jobs = 3
status_file = "/run/inotifysync/status.json"
log_format = "json"
verbosity = 1
max_delete = "25%"
password_file = "/etc/inotifysync/secret"

[[source]]
path = "/srv/www/"
delete = true
settle = "250ms"
max_delay = 5
audit_interval = "1h"
exclude = ["*.tmp", "/cache/"]
include = ["keep.tmp"]
filter = ["- .git/", "+ *.html"]

  [[source.target]]
  to = "rsync://sync@web1:8730/www/html"
  name = "web1"
  rsync_options = ["-z"]

  [[source.target]]
  to = "backup@store:/srv/www"
  ssh = "ssh -p 2222"
  delete = false

[[source]]
path = "/srv/other"
targets = ["/mnt/copy", "web2::other"]
max_delete = 100
)");
  CHECK(config.jobs == 3);
  CHECK(config.log_json);
  REQUIRE(config.sources.size() == 2);
  const SourceConfig& www = config.sources[0];
  CHECK(www.path == "/srv/www");
  CHECK(www.remove);
  CHECK(www.settle == 250ms);
  CHECK(www.max_delay == 5s);
  CHECK(www.audit_interval == 1h);
  CHECK(www.max_delete.unit == DeleteLimit::Unit::percent);
  CHECK(www.filters == std::vector<std::string>{"--exclude=- .git/", "--exclude=+ *.html",
                                                "--include=keep.tmp", "--exclude=*.tmp",
                                                "--exclude=/cache/"});
  REQUIRE(www.targets.size() == 2);
  CHECK(www.targets[0].name == "web1");
  CHECK(www.targets[0].password_file == "/etc/inotifysync/secret");
  CHECK(www.targets[0].rsync_options == std::vector<std::string>{"-z"});
  CHECK(www.targets[1].ssh == "ssh -p 2222");
  CHECK(www.targets[1].remove == false);
  CHECK(www.targets[1].password_file.empty());  // that is no daemon
  const SourceConfig& other = config.sources[1];
  CHECK_FALSE(other.remove);
  CHECK(other.max_delete.unit == DeleteLimit::Unit::count);
  CHECK(other.max_delete.value == 100);
  REQUIRE(other.targets.size() == 2);
  CHECK(other.targets[1].password_file == "/etc/inotifysync/secret");
}

TEST_CASE("every error names file, line and key") {
  CHECK(bad("jobs = 1\n") == "sync.toml:1: there must be a [[source]] table");
  CHECK(bad("\njobs = -1\n") == "sync.toml:2: key 'jobs' must be a whole number from 0 to 10000");
  CHECK(bad("\n\nsettel = 1\n") ==
        "sync.toml:3: key 'settel' is not known at the top level; is it 'settle'?");
  CHECK(bad("zzz = 1\n") == "sync.toml:1: key 'zzz' is not known at the top level");
  CHECK(bad("[[source]]\ntargets = ['/b']\n") == "sync.toml:1: key 'path' is missing in [[source]]");
  CHECK(bad("[[source]]\npath = 'a'\n") == "sync.toml:2: key 'path' must be an absolute path");
  CHECK(bad("[[source]]\npath = 7\n") == "sync.toml:2: key 'path' must be a string that is not empty");
  CHECK(bad("[[source]]\npath = '/a'\n") ==
        "sync.toml:1: a [[source]] needs a target: a [[source.target]] with 'to', or 'targets = [...]'");
  CHECK(bad("[[source]]\npath = '/a'\n[[source.target]]\nname = 'x'\n") ==
        "sync.toml:3: key 'to' is missing in [[source.target]]");
  CHECK(bad("[[source]]\npath = '/a'\ntargets = ['rsync://h/']\n") ==
        "sync.toml:3: key 'targets' 'rsync://h/': no module is named: write HOST::MODULE or "
        "rsync://HOST/MODULE");
  CHECK(bad("[[source]]\npath = '/a'\ntargets = ['/b', '/b/']\n") ==
        "sync.toml:3: key 'targets' '/b/' is the same place as '/b', a target of this source already");
  CHECK(bad("[[source]]\npath = '/a'\ntargets = ['/a/b']\n") ==
        "sync.toml:3: key 'targets' '/a/b' lies inside its source");
  CHECK(bad("[[source]]\npath = '/a/b'\ntargets = ['/a']\n") ==
        "sync.toml:3: key 'targets' '/a' holds its own source");
  CHECK(bad("[[source]]\npath = '/a'\n[[source.target]]\nto = 'h:/b'\npassword_file = '/p'\n") ==
        "sync.toml:5: key 'password_file' is for daemon targets only (rsync:// or HOST::MODULE)");
  CHECK(bad("[[source]]\npath = '/a'\nsettle = 'soon'\n").substr(0, 45) ==
        "sync.toml:3: key 'settle' must be a duration ");
  CHECK(bad("[[source]\n").substr(0, 12) == "sync.toml:1:");
  CHECK(bad("source = 3\n") == "sync.toml:1: there must be a [[source]] table");
  CHECK(bad("[source]\npath = '/a'\n") == "sync.toml:1: write [[source]] in place of [source]");
  CHECK(bad("[[source]]\npath = '/a'\n[source.target]\nto = '/b'\n") ==
        "sync.toml:3: write [[source.target]] in place of [source.target]");
}

TEST_CASE("a key in the wrong table is told its place") {
  const std::string source = "[[source]]\npath = '/a'\n", target = source + "[[source.target]]\nto = '/b'\n";
  CHECK(bad(target + "include = ['x']\n") ==
        "sync.toml:5: key 'include' is not known in [[source.target]]; it belongs in [[source]]");
  CHECK(bad(source + "to = '/b'\n") ==
        "sync.toml:3: key 'to' is not known in [[source]]; it belongs in [[source.target]]");
  CHECK(bad(source + "jobs = 2\n") ==
        "sync.toml:3: key 'jobs' is not known in [[source]]; it belongs at the "
        "top, before the first [[source]]");
  CHECK(bad("path = '/a'\n") ==
        "sync.toml:1: key 'path' is not known at the top level; it belongs in [[source]]");
  CHECK(bad(source + "pathh = '/a'\n") ==
        "sync.toml:3: key 'pathh' is not known in [[source]]; is it 'path'?");
}

TEST_CASE("what would not do what it says is refused") {
  const std::string source = "[[source]]\npath = '/a'\n", target = source + "[[source.target]]\nto = '/b'\n";
  CHECK(bad(source + "filter = ['- x', 'P /uploads/']\n") ==
        "sync.toml:3: key 'filter' 'P /uploads/': a rule must begin with \"+ \" or \"- \"");
  CHECK(bad("filter = ['!']\n").starts_with("sync.toml:1: key 'filter' '!': a rule must begin"));
  CHECK(bad(source + "exclude = ['P /uploads/']\n")
            .starts_with("sync.toml:3: key 'exclude' 'P /uploads/' looks like a filter rule"));
  CHECK(bad(source + "rsync_options = ['-z', '-n']\n") ==
        "sync.toml:3: key 'rsync_options' '-n': with -n rsync would bring nothing over");
  CHECK(bad(target + "rsync_options = ['--list-only']\n")
            .starts_with("sync.toml:5: key 'rsync_options' '--list-only': "));
  CHECK(bad(source + "exclude_from = ['rules']\n") ==
        "sync.toml:3: key 'exclude_from' 'rules' must be an absolute path");
  CHECK(bad(source + "targets = ['b']\n") ==
        "sync.toml:3: key 'targets' 'b' must be an absolute path, HOST:PATH, HOST::MODULE or "
        "rsync://HOST/MODULE");
  CHECK(bad(source + "[[source.target]]\nto = 'h::m'\nssh = 'ssh -p 22'\n") ==
        "sync.toml:5: key 'ssh' is for targets by ssh only (HOST:PATH)");
  CHECK(bad(target + "rsync_path = '/opt/rsync'\n") ==
        "sync.toml:5: key 'rsync_path' is for targets by ssh only (HOST:PATH)");
  // For all targets that can use it.
  CHECK(good("ssh = 'ssh -p 22'\n" + source + "targets = ['h::m', 'h:/m']\n").sources.size() == 1);
}

TEST_CASE("one place is the target of one source") {
  CHECK(bad("[[source]]\npath = '/a'\ntargets = ['/t']\n[[source]]\npath = '/b'\ntargets = ['/t/.']\n") ==
        "sync.toml:6: key 'targets' '/t/.' is the same place as '/t', a target of /a");
  CHECK(bad("[[source]]\npath = '/a'\ntargets = ['h::m/x']\n[[source]]\npath = '/b'\ntargets = "
            "['rsync://u@H:873/m//x/']\n") ==
        "sync.toml:6: key 'targets' 'rsync://u@H:873/m//x/' is the same place as 'h::m/x', a target of /a");
}

TEST_CASE("durations") {
  CHECK(parse_duration("250ms").value() == 250ms);
  CHECK(parse_duration("1.5s").value() == 1500ms);
  CHECK(parse_duration("2").value() == 2s);
  CHECK(parse_duration("0.25").value() == 250ms);
  CHECK(parse_duration("10m").value() == 10min);
  CHECK(parse_duration("1d").value() == 24h);
  for (const char* text : {"", "x", "-1", "1 s", "1e3", "1y", "nan", "inf", "99999999999999999999d"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_duration(text));
  }
}

TEST_CASE("limits of deletion") {
  CHECK(parse_delete_limit("0").value().unit == DeleteLimit::Unit::count);
  CHECK(parse_delete_limit("25%").value().value == 25);
  for (const char* text : {"", "%", "101%", "-1", "1k", "10 %"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_delete_limit(text));
  }
}

TEST_CASE("how the source is watched") {
  const auto watching = [](std::string_view value) {
    return good(
               fmt::format("fanotify = {}\n[[source]]\npath = \"/a\"\n[[source.target]]\nto = \"/b\"", value))
        .sources.at(0)
        .watching;
  };
  CHECK(watching("true") == Watching::by_fanotify);
  CHECK(watching("false") == Watching::by_inotify);
  CHECK(watching("\"auto\"") == Watching::automatic);
  CHECK(bad("fanotify = \"yes\"") == "sync.toml:1: key 'fanotify' must be true, false or \"auto\"");
}
