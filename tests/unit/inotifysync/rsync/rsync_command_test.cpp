// SPDX-License-Identifier: GPL-2.0-or-later
#include "inotifysync/rsync/rsync_command.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

using namespace inotifysync;

namespace {

RsyncSettings settings() {
  RsyncSettings out;
  out.source = "/srv/www";
  return out;
}

Step step_of(StepKind kind, std::string_view from = {}, std::string_view to = {}) {
  Step step;
  step.kind = kind;
  step.ignore_times = step.from_root = step.counted = kind == StepKind::exact;
  step.from = from;
  step.to = to;
  return step;
}

std::string line(const RsyncSettings& how, const char* target, const Step& step,
                 Deletion deletion = Deletion::missing_args) {
  return shell_quoted(rsync_command(how, parse_target(target).value(), step, deletion));
}

bool has(const std::string& text, const char* part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("the list run, as it is typed") {
  CHECK(line(settings(), "rsync://web1/www", step_of(StepKind::exact)) ==
        "rsync -aHs --modify-window=-1 --itemize-changes '--out-format=%i %b %n' --info=stats1 "
        "--itemize-changes --files-from=- --from0 --ignore-times --delete-missing-args --force "
        "--sockopts=TCP_NODELAY --contimeout=10 / "
        "rsync://web1/www/");
}

TEST_CASE("a waiting run is the list run") {
  const Target target = parse_target("rsync://web1/www").value();
  for (const Deletion deletion : {Deletion::none, Deletion::missing_args, Deletion::by_directory}) {
    CHECK(warm_command(settings(), target, deletion) ==
          rsync_command(settings(), target, step_of(StepKind::exact), deletion));
  }
  CHECK(fits_warm(step_of(StepKind::exact), Deletion::none, false));
  CHECK_FALSE(fits_warm(step_of(StepKind::subtree), Deletion::none, false));
  Step relative = step_of(StepKind::exact);  // to a run that stands in "/", its names would mean other files
  relative.from_root = false;
  CHECK_FALSE(fits_warm(relative, Deletion::none, false));
  Step uncounted = step_of(StepKind::exact);
  uncounted.counted = false;
  CHECK_FALSE(fits_warm(uncounted, Deletion::missing_args, false));
  Step deleting = step_of(StepKind::exact);
  deleting.entries.push_back({.missing = true});
  CHECK(fits_warm(deleting, Deletion::missing_args, false));
  CHECK_FALSE(fits_warm(deleting, Deletion::by_directory, false));
}

TEST_CASE("nobody is asked for a password, and who gave one is known") {
  const Target daemon = parse_target("rsync://web1/www").value();
  CHECK(rsync_environment(settings(), daemon).back() == "RSYNC_PASSWORD=");
  RsyncSettings given = settings();
  given.password_in_environment = true;
  CHECK(rsync_environment(given, daemon).size() == 1);
  given = settings();
  given.extra = {"--password-file=/secret"};
  CHECK(knows_password(given, daemon));
  CHECK(knows_password(settings(), parse_target("web1:/www").value()));
}

TEST_CASE("a relative target is told by where it starts from, as rsync may run elsewhere") {
  RsyncSettings how = settings();
  how.directory = "/home/me";
  const auto last = [&](const char* target) {
    return rsync_command(how, parse_target(target).value(), step_of(StepKind::full), Deletion::none).back();
  };
  CHECK(last("copy") == "/home/me/copy/");
  CHECK(last("./a:b") == "/home/me/a:b/");
  CHECK(last("../copy") == "/home/copy/");
  CHECK(last("../../../copy") == "/copy/");
  CHECK(last("/copy") == "/copy/");
  CHECK(last("web1:copy") == "web1:copy/");
}

TEST_CASE(
    "a waiting run minds the limit of deletions itself, so that what it would count twice does not go") {
  RsyncSettings limited = settings();
  limited.max_delete = 7;
  const Target target = parse_target("rsync://web1/www").value();
  const auto command = warm_command(limited, target, Deletion::missing_args);
  CHECK(std::count(command.begin(), command.end(), "--max-delete=7") == 1);
  Step deleting = step_of(StepKind::exact);
  deleting.entries.push_back({.missing = true});
  CHECK(fits_warm(deleting, Deletion::missing_args, true));
  deleting.limitable = false;
  CHECK_FALSE(fits_warm(deleting, Deletion::missing_args, true));
  CHECK(fits_warm(deleting, Deletion::missing_args, false));
}

TEST_CASE("the full pass deletes only where it is asked to") {
  const std::string with = line(settings(), "/mnt/copy", step_of(StepKind::full));
  CHECK(has(with, " --delete --force "));
  CHECK_FALSE(has(with, "--files-from"));
  CHECK(has(with, " /srv/www/ /mnt/copy/"));
  CHECK_FALSE(has(line(settings(), "/mnt/copy", step_of(StepKind::full), Deletion::none), "--delete"));
}

TEST_CASE("no run deletes when deletion is not asked for") {
  for (const StepKind kind :
       {StepKind::full, StepKind::move_directory, StepKind::move_file, StepKind::exact, StepKind::attributes,
        StepKind::subtree, StepKind::directories, StepKind::root}) {
    const std::string command = line(settings(), "/mnt/copy", step_of(kind, "a", "b"), Deletion::none);
    CHECK_FALSE(has(command, "--delete"));
    CHECK_FALSE(has(command, "--force"));
  }
}

TEST_CASE("no run forgives what went wrong, or writes in place") {
  for (const StepKind kind : {StepKind::full, StepKind::exact, StepKind::subtree}) {
    const std::string command = line(settings(), "h:/x", step_of(kind));
    CHECK_FALSE(has(command, "--ignore-errors"));
    CHECK_FALSE(has(command, "--inplace"));
  }
}

TEST_CASE("renames link to the old place, as seen from the new one") {
  const std::string directory =
      line(settings(), "rsync://h/m/x", step_of(StepKind::move_directory, "a/old", "b/c/new"));
  CHECK(has(directory, " --link-dest=../../../a/old "));
  CHECK(has(directory, " /srv/www/b/c/new/ rsync://h/m/x/b/c/new/"));
  CHECK(has(directory, " --delete "));
  CHECK(has(line(settings(), "rsync://h/m", step_of(StepKind::move_directory, "old", "-new")),
            " /srv/www/-new/ rsync://h/m/./-new/"));

  const std::string same_name = line(settings(), "/t", step_of(StepKind::move_file, "a/f", "b/f"));
  CHECK(has(same_name, " --checksum --link-dest=../a "));
  CHECK_FALSE(has(same_name, "--fuzzy"));
  CHECK(has(same_name, " /srv/www/b/f /t/b/"));
  CHECK_FALSE(has(same_name, "--delete"));
  const std::string same_place = line(settings(), "/t", step_of(StepKind::move_file, "f", "g"));
  CHECK(has(same_place, " --fuzzy --fuzzy "));
  CHECK_FALSE(has(same_place, "--link-dest"));
  CHECK(has(line(settings(), "/t", step_of(StepKind::move_file, "f", "d/g")), " --link-dest=../ "));
  CHECK(has(line(settings(), "/t", step_of(StepKind::move_file, "d/f", "g")), " --link-dest=d "));
  RsyncSettings in_place = settings();
  in_place.target_place = "/proc/self/fd/9";
  CHECK(has(line(in_place, "/t", step_of(StepKind::move_file, "a/f", "b/f")), " /proc/self/fd/9/b/"));
  CHECK(has(line(in_place, "/t", step_of(StepKind::move_file, "a/f", "f")), " /proc/self/fd/9/"));
  CHECK(has(line(in_place, "/t", step_of(StepKind::move_directory, "a", "b")), " /proc/self/fd/9/b/"));
}

TEST_CASE("filters go with runs that start at the source, and with no other") {
  RsyncSettings how = settings();
  how.filters = {"--exclude=/cache"};
  CHECK(has(line(how, "/t", step_of(StepKind::full)), " --exclude=/cache "));
  CHECK(has(line(how, "/t", step_of(StepKind::subtree)), " --exclude=/cache "));
  CHECK_FALSE(has(line(how, "/t", step_of(StepKind::exact)), "--exclude"));
}

TEST_CASE("ssh shares one connection a host, and asks nobody for a password") {
  RsyncSettings how = settings();
  how.control_directory = "/run/user/my dir";
  const auto command =
      rsync_command(how, parse_target("bob@web1:/x").value(), step_of(StepKind::exact), Deletion::none);
  CHECK(std::find(
            command.begin(), command.end(),
            "--rsh=ssh -oBatchMode=yes -oConnectTimeout=10 -oServerAliveInterval=15 -oServerAliveCountMax=3 "
            "-oControlMaster=auto -oControlPersist=60 \"-oControlPath=/run/user/my dir/%C\"") !=
        command.end());
  Target target = parse_target("web1:/x").value();
  target.ssh = "/usr/local/bin/tunnel -x";
  CHECK(has(shell_quoted(rsync_command(how, target, step_of(StepKind::exact), Deletion::none)),
            " '--rsh=/usr/local/bin/tunnel -x' "));
}

TEST_CASE("everything a user can add is there, his own options last") {
  RsyncSettings how = settings();
  how.extra = {"-z", "--bwlimit=5m"};
  how.max_delete = 100;
  how.dry_run = true;
  how.io_timeout = std::chrono::seconds(60);
  Target target = parse_target("rsync://bob@web1:8730/www").value();
  target.password_file = "/etc/secret";
  target.rsync_path = "/opt/rsync";
  target.rsync_options = {"--chmod=D755"};
  const std::string full =
      shell_quoted(rsync_command(how, target, step_of(StepKind::full), Deletion::missing_args));
  CHECK(has(full, " --dry-run "));
  CHECK(has(full, " --max-delete=100 "));
  CHECK(has(full, " --password-file=/etc/secret "));
  CHECK(has(full, " --rsync-path=/opt/rsync "));
  CHECK(has(full, " --timeout=60 "));
  CHECK(has(full, " -z --bwlimit=5m --chmod=D755 /srv/www/ rsync://bob@web1:8730/www/"));
  const std::string exact =
      shell_quoted(rsync_command(how, target, step_of(StepKind::exact), Deletion::missing_args));
  CHECK_FALSE(has(exact, "--timeout"));  // it may wait for a long time
  Step directories = step_of(StepKind::directories);
  directories.renamed = 12;
  CHECK(has(shell_quoted(rsync_command(how, target, directories, Deletion::by_directory)),
            " --max-delete=112 "));
}

TEST_CASE("a line can be pasted into a shell") {
  CHECK(shell_quoted({"a", "b c", "", "it's", "$x"}) == "a 'b c' '' 'it'\\''s' '$x'");
}
