// SPDX-License-Identifier: GPL-2.0-or-later
// Random changes to a real tree, marked as events would mark them, planned and brought over by the real
// rsync: in the end both trees must be the same to the nanosecond and the hard link. NOTIFY_TEST_ROUNDS and
// NOTIFY_TEST_SEED make it longer and different; NOTIFY_TEST_TARGET (an rsync destination) and
// NOTIFY_TEST_TARGET_PATH (where it lies) send it through a daemon.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <set>
#include <sstream>

#include "inotifysync/changes/batch.hpp"
#include "inotifysync/changes/change_set.hpp"
#include "inotifysync/rsync/rsync_command.hpp"
#include "inotifysync/rsync/rsync_outcome.hpp"
#include "real_trees.hpp"
#include "room.hpp"

using namespace real_trees;

namespace {

// A source that changes at random, and says so as inotify would.
class World {
 public:
  World(fs::path top, std::uint32_t seed) : top_(std::move(top)), random_(seed) {}

  ChangeSet changes;
  std::string log;

  void change() {
    switch (pick(16)) {
      case 0:
      case 1:
        return make_file();
      case 2:
        return rewrite(false);
      case 3:
        return rewrite(true);
      case 4:
        return make_directory();
      case 5:
        return make_symlink();
      case 6:
        return make_hard_link();
      case 7:
        return remove();
      case 8:
      case 9:
      case 10:
        return rename();
      case 11:
        return exchange();
      case 12:
        return change_attributes();
      case 13:
        return move_in();
      case 14:
        return swap_type();
      default:
        return append();
    }
  }

 private:
  void mark(const std::string& path, Dirt dirt) {
    log += fmt::format("mark {} {}\n", path, dirt);
    changes.mark(path, dirt);
    if (!(dirt & (dirt::content | dirt::attributes))) return;
    // A write shows in every name of the file, and the one written through may be gone before anybody looks:
    // whoever knows the other names marks them at once.
    RealView view(top_);
    const FileInfo info = view.lstat(path);
    if (info.type != FileInfo::Type::file || info.links < 2) return;
    for (const std::string& other : view.hard_links(path, info)) changes.mark(other, dirt);
  }
  void mark_moved(const std::string& from, const std::string& to) {
    log += fmt::format("moved {} {}\n", from, to);
    changes.mark_moved(from, to);
  }

  std::size_t pick(std::size_t below) {
    return std::uniform_int_distribution<std::size_t>(0, below - 1)(random_);
  }

  std::vector<std::string> paths(bool (*wanted)(mode_t)) {
    std::vector<std::string> out;
    for (const auto& entry : fs::recursive_directory_iterator(top_)) {
      if (wanted(stat_of(entry.path()).st_mode))
        out.push_back(entry.path().lexically_relative(top_).string());
    }
    std::sort(out.begin(), out.end());
    return out;
  }
  static bool is_file(mode_t mode) { return S_ISREG(mode); }
  static bool is_directory(mode_t mode) { return S_ISDIR(mode); }
  static bool any(mode_t) { return true; }

  std::string one_of(bool (*wanted)(mode_t)) {
    const auto all = paths(wanted);
    return all.empty() ? std::string() : all[pick(all.size())];
  }

  std::string new_name() {
    static constexpr const char* odd[] = {"#a", ";b",  "-c",       " d ",  "e\nf", "\\#012",
                                          "g*", "[h]", "\xff\xfe", "i'\"", "~",    "+ x"};
    const std::string parent = pick(3) ? one_of(is_directory) : std::string();
    const std::string name = pick(4) ? fmt::format("n{}", pick(12)) : odd[pick(std::size(odd))];
    return parent.empty() ? name : parent + "/" + name;
  }

  std::string bytes() { return std::string(pick(2000), static_cast<char>('a' + pick(26))); }
  bool exists(const std::string& path) { return fs::exists(fs::symlink_status(top_ / path)); }

  void make_file() {
    const std::string path = new_name();
    if (exists(path)) return;
    write_file(top_ / path, bytes());
    mark(path, dirt::created);
    mark(path, dirt::content);
  }

  void rewrite(bool keep_time) {
    const std::string path = one_of(is_file);
    if (path.empty()) return;
    const struct stat before = stat_of(top_ / path);
    std::string text = read_file(top_ / path);
    for (char& c : text) c = static_cast<char>(c + 1);
    write_file(top_ / path, text);
    mark(path, dirt::content);
    if (!keep_time) return;
    const timespec times[2] = {before.st_atim, before.st_mtim};
    utimensat(AT_FDCWD, (top_ / path).c_str(), times, 0);
    mark(path, dirt::attributes);
  }

  void append() {
    const std::string path = one_of(is_file);
    if (path.empty()) return;
    std::ofstream(top_ / path, std::ios::app) << "more";
    mark(path, dirt::content);
  }

  void make_directory() {
    const std::string path = new_name();
    if (exists(path)) return;
    fs::create_directory(top_ / path);
    mark(path, dirt::created);
  }

  void make_symlink() {
    const std::string path = new_name();
    if (exists(path)) return;
    fs::create_symlink(pick(2) ? "n1" : "no/where", top_ / path);
    mark(path, dirt::created);
  }

  void make_hard_link() {
    const std::string from = one_of(is_file), to = new_name();
    if (from.empty() || exists(to)) return;
    fs::create_hard_link(top_ / from, top_ / to);
    mark(to, dirt::created);
    mark(from, dirt::attributes);
  }

  void remove_at(const std::string& path) {
    if (fs::is_directory(fs::symlink_status(top_ / path))) {
      for (const auto& entry : fs::directory_iterator(top_ / path))
        remove_at(path + "/" + entry.path().filename().string());
    }
    fs::remove(top_ / path);
    mark(path, dirt::gone);
  }

  void remove() {
    const std::string path = one_of(any);
    if (!path.empty()) remove_at(path);
  }

  void rename() {
    const std::string from = one_of(any), to = new_name();
    if (from.empty() || ::rename((top_ / from).c_str(), (top_ / to).c_str()) != 0) return;
    if (!exists(from)) mark_moved(from, to);
  }

  void exchange() {
    const std::string a = one_of(any), b = one_of(any);
    if (a.empty() || a == b) return;
    if (renameat2(AT_FDCWD, (top_ / a).c_str(), AT_FDCWD, (top_ / b).c_str(), RENAME_EXCHANGE) != 0) return;
    mark_moved(a, b);
    mark_moved(b, a);
  }

  void change_attributes() {
    const std::string path = pick(8) ? one_of(any) : std::string();
    if (fs::is_symlink(fs::symlink_status(top_ / path))) return;
    if (pick(2)) {
      chmod((top_ / path).c_str(), static_cast<mode_t>(0700 | pick(0100)));
    } else {
      const timespec times[2] = {{1'000'000, 5}, {static_cast<time_t>(1'000'000 + pick(1000)), 7}};
      utimensat(AT_FDCWD, (top_ / path).c_str(), times, 0);
    }
    mark(path, dirt::attributes);
  }

  // A tree that comes from elsewhere: one event for all of it.
  void move_in() {
    const std::string path = new_name();
    const fs::path outside = top_.parent_path() / "outside";
    if (exists(path)) return;
    fs::remove_all(outside);
    fs::create_directories(outside / "x/y");
    write_file(outside / "x/f", bytes());
    fs::create_hard_link(outside / "x/f", outside / "x/y/g");
    fs::rename(outside, top_ / path);
    mark(path, dirt::created | dirt::subtree);
  }

  void swap_type() {
    const std::string path = one_of(any);
    if (path.empty()) return;
    const bool was_directory = fs::is_directory(fs::symlink_status(top_ / path));
    remove_at(path);
    if (was_directory) {
      write_file(top_ / path, bytes());
    } else {
      fs::create_directory(top_ / path);
    }
    mark(path, dirt::created);
  }

  fs::path top_;
  std::mt19937 random_;
};

class Delivery {
 public:
  Delivery(fs::path scratch, const PlanOptions& options, std::uint32_t seed)
      : scratch_(std::move(scratch)), options_(options), view_(scratch_ / "source"), random_(seed) {
    const char* operand = std::getenv("NOTIFY_TEST_TARGET");
    target_ = parse_target(operand ? operand : (scratch_ / "target").string()).value();
    settings_.source = (scratch_ / "source").string();
  }

  fs::path target_path() const {
    const char* path = std::getenv("NOTIFY_TEST_TARGET_PATH");
    return path ? fs::path(path) : scratch_ / "target";
  }

  // What is left to do afterwards; now and then a run breaks off.
  ChangeSet bring(const ChangeSet& changes) {
    ChangeSet left;
    bool broken = false;
    for (const Step& step : plan_batch(changes, view_, options_).steps) {
      broken = broken || random_() % 8 == 0;
      if (broken) {
        put_back(step, Outcome{}, left);
        continue;
      }
      const auto command = rsync_command(settings_, target_, step, options_.deletion);
      const Ran ran = run(command, step.names, scratch_);
      const Outcome outcome = judge_rsync(ran.signalled, ran.code, ran.output, ran.errors, step);
      log += fmt::format("$ {}\n{}{}{}= {}\n", shell_quoted(command), visible(step.names), ran.output,
                         ran.errors, ran.code);
      put_back(step, outcome, left);
      // Debian's 3.2.7 is such a one.
      if (outcome.verdict == Verdict::no_missing_args) options_.deletion = Deletion::by_directory;
      broken = outcome.verdict != Verdict::delivered && outcome.verdict != Verdict::partial;
      ++(step.kind == StepKind::move_directory || step.kind == StepKind::move_file ? moves : others);
    }
    return left;
  }

  std::string log;
  int moves = 0, others = 0;

 private:
  fs::path scratch_;
  PlanOptions options_;
  RealView view_;
  RsyncSettings settings_;
  Target target_;
  std::mt19937 random_;
};

void converge(std::uint32_t seed, PlanOptions options, int rounds) {
  const Room room;
  const fs::path& scratch = room.path();
  fs::create_directory(scratch / "source");
  if (options.source == "yes") options.source = (scratch / "source").string();
  Delivery delivery(scratch, options, seed);
  fs::create_directories(delivery.target_path());
  World world(scratch / "source", seed);
  world.changes.mark("", dirt::subtree);
  std::mt19937 random(seed);
  for (int round = 0; round < rounds; ++round) {
    for (auto n = random() % 12; n > 0; --n) world.change();
    ChangeSet taken = std::exchange(world.changes, ChangeSet());
    delivery.log.clear();
    world.log += fmt::format("round {} {}\n", round, taken.size());
    for (int attempt = 0; !taken.empty() && attempt < 20; ++attempt) {
      ChangeSet left = delivery.bring(taken);
      if (!left.empty() && random() % 2) {  // the source goes on changing while a target is behind
        for (auto n = random() % 4; n > 0; --n) world.change();
        left.merge(std::exchange(world.changes, ChangeSet()));
      }
      taken = std::move(left);
    }
    const std::string wrong = difference(scratch / "source", delivery.target_path());
    INFO("seed ", seed, " round ", round, "\n", delivery.log, "\n", world.log);
    REQUIRE(taken.empty());
    REQUIRE(wrong == "");
  }
  MESSAGE(delivery.others << " list runs, " << delivery.moves << " moves");
  for (const auto& entry : fs::directory_iterator(delivery.target_path())) fs::remove_all(entry.path());
}

}  // namespace

TEST_CASE("random changes converge through the real rsync" *
          doctest::skip(std::system("rsync --version >/dev/null 2>&1") != 0)) {
  const auto rounds = static_cast<int>(environment_number("NOTIFY_TEST_ROUNDS", 12));
  const auto seed = static_cast<std::uint32_t>(environment_number("NOTIFY_TEST_SEED", 1));
  PlanOptions options;
  SUBCASE("everything small is listed") {
    options.deletion = Deletion::missing_args;
    options.source = "yes";
    converge(seed, options, rounds);
  }
  SUBCASE("every rename is linked, every new tree sent as one") {
    options.deletion = Deletion::missing_args;
    options.resend_below = 1;
    options.resend_at_most = 0;
    options.list_at_most = 2;
    options.attributes_alone = 100;
    converge(seed + 1000, options, rounds);
  }
  SUBCASE("a receiver that cannot take missing names") {
    options.deletion = Deletion::by_directory;
    converge(seed + 2000, options, rounds);
  }
}
