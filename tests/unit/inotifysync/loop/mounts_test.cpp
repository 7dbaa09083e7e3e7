// SPDX-License-Identifier: GPL-2.0-or-later
#include "inotifysync/loop/mounts.hpp"

#include <doctest/doctest.h>

using namespace inotifysync;

TEST_CASE("mounts below a directory") {
  const char* const table =
      "22 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n"
      "30 22 0:26 / /srv/www rw - tmpfs tmpfs rw\n"
      "31 30 0:27 / /srv/www/cache rw shared:1 - tmpfs tmpfs rw\n"
      "32 30 0:28 / /srv/www/a\\040b\\134 rw - tmpfs tmpfs rw\n"
      "33 22 0:29 / /srv/www2 rw - tmpfs tmpfs rw\n";
  using Paths = std::vector<std::string>;
  CHECK(mounts_below(table, "/srv/www") == Paths{"/srv/www/cache", "/srv/www/a b\\"});
  CHECK(mounts_below(table, "/srv/www/cache").empty());
  CHECK(mounts_below(table, "/").size() == 4);
  CHECK(mounts_below("", "/srv").empty());
  CHECK(mounts_below("\nnothing known\n31 30\n", "/srv").empty());
}

TEST_CASE("where a path lies on its disk") {
  const char* const table =
      "22 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n"
      "30 22 254:1 / /srv/www rw - ext4 /dev/vdb rw\n"
      "31 22 254:1 /sub /mnt/b rw - ext4 /dev/vdb rw\n"
      "32 22 254:0 /srv/a\\040b /mnt/c rw - ext4 /dev/vda rw\n"
      "33 22 0:26 / /mnt/b rw - tmpfs tmpfs rw\n";
  CHECK(place_on_disk(table, "") == "254:0");
  CHECK(place_on_disk(table, "/home/x") == "254:0/home/x");
  CHECK(place_on_disk(table, "/srv/www") == "254:1");
  CHECK(place_on_disk(table, "/srv/www2") == "254:0/srv/www2");
  CHECK(place_on_disk(table, "/srv/www/sub/x") == "254:1/sub/x");
  CHECK(place_on_disk(table, "/mnt/c/d") == place_on_disk(table, "/srv/a b/d"));
  CHECK(place_on_disk(table, "/mnt/b/x") == "0:26/x");  // the later mount is the one that is seen
  CHECK(place_on_disk("", "/srv") == "/srv");
}
