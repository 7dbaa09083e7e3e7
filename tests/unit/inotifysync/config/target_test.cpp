// SPDX-License-Identifier: GPL-2.0-or-later
#include "inotifysync/config/target.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>

using namespace inotifysync;

namespace {

struct Parsed {
  const char* operand;
  Target::Kind kind;
  const char *user, *host, *module, *path, *destination;
};

constexpr Parsed cases[] = {
    {"/srv/copy", Target::Kind::local, "", "", "", "/srv/copy", "/srv/copy/"},
    {"copy/", Target::Kind::local, "", "", "", "copy/", "./copy/"},
    {"-odd", Target::Kind::local, "", "", "", "-odd", "./-odd/"},
    {"./a:b", Target::Kind::local, "", "", "", "./a:b", "././a:b/"},
    {"a/b:c", Target::Kind::local, "", "", "", "a/b:c", "./a/b:c/"},
    {"web1:/srv/www", Target::Kind::ssh, "", "web1", "", "/srv/www", "web1:/srv/www/"},
    {"bob@web1:www", Target::Kind::ssh, "bob", "web1", "", "www", "bob@web1:www/"},
    {"web1:", Target::Kind::ssh, "", "web1", "", "", "web1:./"},
    {"bob@[::1]:/www", Target::Kind::ssh, "bob", "[::1]", "", "/www", "bob@[::1]:/www/"},
    {"web1::www", Target::Kind::daemon, "", "web1", "www", "", "rsync://web1/www/"},
    {"bob@web1::www/html/", Target::Kind::daemon, "bob", "web1", "www", "html", "rsync://bob@web1/www/html/"},
    {"rsync://web1/www", Target::Kind::daemon, "", "web1", "www", "", "rsync://web1/www/"},
    {"rsync://bob@web1:8730/www/a/b", Target::Kind::daemon, "bob", "web1", "www", "a/b",
     "rsync://bob@web1:8730/www/a/b/"},
    {"rsync://[::1]:8730/www/", Target::Kind::daemon, "", "[::1]", "www", "", "rsync://[::1]:8730/www/"},
    {"rsync://web1/www/-odd", Target::Kind::daemon, "", "web1", "www", "-odd", "rsync://web1/www/./-odd/"},
};

}  // namespace

TEST_CASE("targets are read as rsync reads its destination") {
  for (const Parsed& expected : cases) {
    CAPTURE(expected.operand);
    const auto target = parse_target(expected.operand);
    REQUIRE(target);
    CHECK(target->kind == expected.kind);
    CHECK(target->user == expected.user);
    CHECK(target->host == expected.host);
    CHECK(target->module == expected.module);
    CHECK(target->path == expected.path);
    CHECK(target->destination() == expected.destination);
    CHECK_FALSE(target->name.empty());
  }
}

TEST_CASE("what no rsync could reach is refused") {
  for (const char* operand :
       {"", ":/x", "::m", "host::", "rsync://", "rsync:///m", "rsync://h", "rsync://h:0/m",
        "rsync://h:70000/m", "rsync://h:x/m", "rsync://h:/m", "-host:/x", "bob@:/x", "[::1:/x/"}) {
    CAPTURE(operand);
    const auto target = parse_target(operand);
    if (target) CHECK(target->kind == Target::Kind::local);
    if (std::string_view(operand) != "[::1:/x/") CHECK_FALSE(target);
  }
}

TEST_CASE("two ways to write one place") {
  const auto same = [](const char* one, const char* other) {
    return find_same_place(*parse_target(one), {*parse_target(other)}) != nullptr;
  };
  CHECK(same("t1", "./t1/"));
  CHECK(same("/a//b/./c", "/a/b/c/"));
  CHECK(same("h::m", "rsync://h/m/"));
  CHECK(same("h::m/a", "rsync://bob@H:873/m//a/"));
  CHECK(same("h:/a", "bob@h:/a/."));
  CHECK(same("h:", "h:./"));
  CHECK_FALSE(same("a", "/a"));
  CHECK_FALSE(same("a", "b"));
  CHECK_FALSE(same("h::m", "rsync://h:8730/m"));
  CHECK_FALSE(same("h::m", "h::n"));
  CHECK_FALSE(same("h:a", "bob@h:a"));
  CHECK_FALSE(same("h:/m", "h::m"));
  Target other_port = *parse_target("h::m");
  other_port.rsync_options = {"--port=8730"};
  CHECK(find_same_place(*parse_target("h::m"), {other_port}) == nullptr);
  Target other_shell = *parse_target("h:/m");
  other_shell.ssh = "ssh -p 2222";
  CHECK(find_same_place(*parse_target("h:/m"), {other_shell}) == nullptr);
}

TEST_CASE("places below a target") {
  CHECK(parse_target("rsync://h/m")->destination("a/b") == "rsync://h/m/a/b/");
  CHECK(parse_target("rsync://h/m")->destination("-x") == "rsync://h/m/./-x/");
  CHECK(parse_target("h:")->destination("a") == "h:./a/");
  CHECK(parse_target("/")->destination("a") == "/a/");
}

TEST_CASE("a password file is ours, and closed to others") {
  CHECK(password_file_fault(S_IFREG | 0600, 1000, 1000).empty());
  CHECK(password_file_fault(S_IFREG | 0400, 0, 1000).empty());
  CHECK_FALSE(password_file_fault(S_IFREG | 0640, 1000, 1000).empty());
  CHECK_FALSE(password_file_fault(S_IFREG | 0604, 1000, 1000).empty());
  CHECK_FALSE(password_file_fault(S_IFREG | 0600, 1001, 1000).empty());
  CHECK_FALSE(password_file_fault(S_IFDIR | 0700, 1000, 1000).empty());
}

TEST_CASE("a configuration is written by nobody but us and root") {
  CHECK(config_file_fault(S_IFREG | 0644, 1000, 1000, 1000, 1000).empty());
  CHECK(config_file_fault(S_IFREG | 0664, 1000, 1000, 1000, 1000).empty());
  CHECK(config_file_fault(S_IFREG | 0660, 0, 0, 1000, 1000).empty());
  CHECK_FALSE(config_file_fault(S_IFREG | 0664, 1000, 50, 1000, 1000).empty());
  CHECK_FALSE(config_file_fault(S_IFREG | 0602, 1000, 1000, 1000, 1000).empty());
  CHECK_FALSE(config_file_fault(S_IFREG | 0600, 1001, 1000, 1000, 1000).empty());
}
