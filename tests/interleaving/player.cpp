// SPDX-License-Identifier: GPL-2.0-or-later
#include "player.hpp"

#include <fcntl.h>
#include <stdlib.h>
#include <time.h>

#include <algorithm>
#include <cerrno>
#include <functional>
#include <memory>
#include <set>
#include <utility>

#include "backend/inotify_backend.hpp"
#include "event/event_mask.hpp"
#include "notify_core/watcher.hpp"
#include "reader.hpp"
#include "sys/fd.hpp"
#include "sys/syscall.hpp"
#include "watch/watcher_impl.hpp"

// Nobody is waited for here: who pauses may go on at once.
extern "C" int nanosleep(const timespec*, timespec*) {
  return 0;
}

namespace notify_core {
struct WatcherInside {
  using Impl = Watcher::Impl;
};
}  // namespace notify_core

namespace interleaving {
namespace {

namespace fs = std::filesystem;
using namespace notify_core;

std::string labels(EventMask mask) {
  std::string text;
  event::append_labels(text, mask, ',');
  return text;
}

// inotify, with somebody else's turn before and after each call, and in the middle of watching: the kernel
// looks the name up first, and what it found may stand elsewhere by the time the watch is there. And a buffer
// that may be small.
class Interleaved final : public backend::WatchBackend {
 public:
  using Turn = std::function<void(const std::string&)>;
  // How many records the next read is to bring at most.
  using Room = std::function<std::size_t()>;

  // `doubts`: it says that there may be more to read, until there is nothing. `amid`: somebody else's turn
  // comes in the middle of watching, too.
  Interleaved(backend::WatchBackend& real, Turn turn, Room room, bool doubts, bool amid)
      : real_(real), turn_(std::move(turn)), room_(std::move(room)), doubts_(doubts), amid_(amid) {}

  int descriptor() const override { return real_.descriptor(); }
  bool has_queued() const override { return !queue_.empty(); }
  int enter(int directory) override {
    const int status = real_.enter(directory);
    entered_ = directory;
    turn_("enter: " + std::to_string(status));
    return status;
  }
  int add(const char* name, EventMask events, unsigned flags) override {
    turn_({});
    if (!amid_) return said(std::string("watch ") + name, real_.add(name, events, flags));
    const int follow = (flags & backend::add_no_follow) != 0 ? O_NOFOLLOW : 0;
    const int status = sys::open_at(in_working_directory_ ? AT_FDCWD : entered_, name, O_PATH | follow);
    const sys::Fd found(status);
    if (!found) return said(std::string("watch ") + name, status);
    turn_(std::string("look up ") + name);
    const std::string place = "/proc/self/fd/" + std::to_string(found.get());
    return said(std::string("watch ") + name,
                real_.add_path(place.c_str(), events, flags & ~backend::add_no_follow));
  }
  int add_path(const char* path, EventMask events, unsigned flags) override {
    turn_({});
    return said(std::string("watch ") + path, real_.add_path(path, events, flags));
  }
  int remove(int watch) override {
    turn_("unwatch " + std::to_string(watch));
    return real_.remove(watch);
  }
  bool keeps_place() const override { return real_.keeps_place(); }
  void use_working_directory(bool use) override {
    in_working_directory_ = use;
    real_.use_working_directory(use);
  }
  bool drained() const override { return doubts_ ? queue_.empty() || interrupted_ : drained_; }
  std::size_t queue_limit() const override { return real_.queue_limit(); }
  const char* adding_call() const override { return "inotify_add_watch"; }

  // Takes over what was queued so far. What comes after it belongs to the next change.
  void absorb() {
    before_last_ = queue_.size();
    while (real_.fill() > 0) {
      for (backend::Record record; real_.next(record);) queue_.push_back({record, std::string(record.name)});
    }
  }
  // Of the last change, some records have not been queued yet: what it did is to be seen before all of it is
  // told.
  bool interrupted() const { return interrupted_; }

  void visit_unread(const std::function<bool(const backend::Record&)>& visit) override {
    for (std::size_t at = next_; at < batch_.size(); ++at) {
      backend::Record record = batch_[at].record;
      record.name = batch_[at].name;
      if (!visit(record)) return;
    }
  }
  bool read_on() override {
    turn_({});
    batch_.erase(batch_.begin(), batch_.begin() + static_cast<std::ptrdiff_t>(next_));
    next_ = 0;
    const std::size_t count = take();
    turn_("read on: " + std::to_string(count) + " records" +
          (interrupted_ ? ", in the middle of a change" : ""));
    return count > 0;
  }

  std::ptrdiff_t fill() override {
    batch_.clear();
    next_ = 0;
    const std::size_t count = take();
    turn_("read: " + std::to_string(count) + " records" +
          (interrupted_ ? ", in the middle of a change" : ""));
    return count == 0 ? -EAGAIN : static_cast<std::ptrdiff_t>(count);
  }
  bool next(backend::Record& record) override {
    if (next_ == batch_.size()) return false;
    record = batch_[next_].record;
    record.name = batch_[next_++].name;
    turn_("record: " + std::to_string(record.watch) + " " + labels(record.mask) + " " +
          std::string(record.name));
    return true;
  }

 private:
  struct Kept {
    backend::Record record;
    std::string name;
  };

  // Some of what is queued, to be handed on.
  std::size_t take() {
    const std::size_t count = std::min(queue_.size(), room_());
    interrupted_ = count >= before_last_ && count < queue_.size();
    drained_ = count == queue_.size() || interrupted_;
    batch_.insert(batch_.end(), queue_.begin(), queue_.begin() + static_cast<std::ptrdiff_t>(count));
    queue_.erase(queue_.begin(), queue_.begin() + static_cast<std::ptrdiff_t>(count));
    before_last_ -= std::min(before_last_, count);
    return count;
  }

  int said(const std::string& what, int watch) {
    turn_(what + ": " + std::to_string(watch));
    return watch;
  }

  backend::WatchBackend& real_;
  Turn turn_;
  Room room_;
  int entered_ = AT_FDCWD;
  bool in_working_directory_ = false;
  std::vector<Kept> queue_;
  std::size_t before_last_ = 0;  // records of changes before the last
  bool interrupted_ = false;
  bool drained_ = true;
  bool doubts_;
  bool amid_;
  std::vector<Kept> batch_;
  std::size_t next_ = 0;
};

class Player final : public EventSink {
 public:
  Player(const std::vector<Operation>& operations, std::uint32_t schedule, backend::WatchBackend& inotify)
      : inotify_(inotify),
        operations_(operations),
        random_(schedule),
        eagerness_(chances[below(std::size(chances))]),
        doubts_(schedule % 4 == 0),
        amid_(schedule % 2 == 1),
        changes_in_walk_(schedule % 6 == 3),
        stops_(schedule % 5 == 4),
        exchanges_(std::ranges::any_of(
            operations, [](const Operation& planned) { return planned.kind == Operation::Kind::exchange; })) {
    std::string pattern = (fs::temp_directory_path() / "notify-interleaving-XXXXXX").string();
    top_ = ::mkdtemp(pattern.data());
    fs::create_directory(top_ / "t");
    fs::create_directory(top_ / "o");
  }
  ~Player() override {
    fs::remove_all(top_);
    while (inotify_.fill() > 0) continue;
  }

  Outcome play() {
    WatcherOptions options;
    options.mask = mask::create | mask::remove | mask::move;
    options.recursive = options.follow_tree = true;
    auto backend = std::make_unique<Interleaved>(
        inotify_, [this](const std::string& what) { turn(what); },
        [this] { return below(4) == 0 ? 1 + below(8) : 1000; }, doubts_, amid_);
    backend_ = backend.get();
    watcher_ = std::make_unique<WatcherInside::Impl>(std::move(options), std::move(backend));
    while (next_ < operations_.size() / 3) change();
    watching_ = changes_in_walk_;
    if (!watcher_->add((top_ / "t").string(), {})) return {{"the tree could not be watched"}, {}};
    reader_.start(listing());
    watching_ = true;
    while (next_ < operations_.size()) {
      change();
      dispatch();
    }
    settle();
    Outcome outcome{reader_.faults(listing()), {}};
    // Two that change places look to a reader like two that were moved one over the other.
    // And of what was done during the walk nobody can tell whether it is told.
    if (exchanges_ || changes_in_walk_) outcome.faults.clear();
    check_tree(outcome.faults);
    check_probes(outcome.faults);
    outcome.story = std::move(story_);
    return outcome;
  }

  bool on_event(const Event& event) override {
    std::string path(event.watched.substr(top_.string().size() + 1));
    path.append(event.name);
    story_.push_back("    " + labels(event.mask) + " " + path + (event.recovered ? " (recovered)" : ""));
    // Nobody can tell two that change places from two that went one after the other, where one came from
    // outside.
    const bool allowed = exchanges_ && event.recovered;
    if (probing_ && !allowed) probes_.push_back(path);
    if (!event.name.empty()) reader_.read(event.mask, event.cookie, path);
    return !stops_ || ++told_ % 3 != 0;
  }

 private:
  static constexpr unsigned chances[] = {0, 2, 5, 10, 20, 40};  // percent of an operation at each turn

  std::size_t below(std::size_t limit) {
    return std::uniform_int_distribution<std::size_t>(0, limit - 1)(random_);
  }

  void turn(const std::string& what) {
    if (!what.empty()) story_.push_back("  " + what);
    if (watching_) backend_->absorb();
    while (watching_ && !backend_->interrupted() && next_ < operations_.size() && below(100) < eagerness_)
      change();
  }

  void change() {
    story_.push_back(describe(operations_[next_]));
    perform(operations_[next_++], top_);
    if (watching_) backend_->absorb();
  }

  bool dispatch() {
    const Result<Watcher::Wait> waited = watcher_->dispatch(*this);
    return waited && *waited != Watcher::Wait::timed_out;
  }

  void settle() {
    for (int quiet = 0; quiet < 3;) quiet = dispatch() || watcher_->has_work() ? 0 : quiet + 1;
  }

  Listing listing() const {
    Listing found;
    for (const auto& entry : fs::recursive_directory_iterator(top_ / "t")) {
      found[entry.path().string().substr(top_.string().size() + 1)] = entry.is_directory();
    }
    return found;
  }

  void check_tree(std::vector<std::string>& faults) const {
    std::set<std::string> want{"t/"}, have;
    for (const auto& [path, directory] : listing()) {
      if (directory) want.insert(path + "/");
    }
    const watch::WatchTree& tree = watcher_->tree();
    tree.for_each([&](watch::NodeId node) {
      const std::string path = std::string(tree.path(node)).substr(top_.string().size() + 1);
      if (!have.insert(path).second) faults.push_back("watched twice: " + path);
      if (!tree.is_root(node) && tree.child(tree.parent(node), tree.name(node)) != node) {
        faults.push_back("not found by its place: " + path);
      }
    });
    for (const std::string& path : want) {
      if (!have.contains(path)) faults.push_back("not watched: " + path);
    }
    for (const std::string& path : have) {
      if (!want.contains(path)) faults.push_back("watched, but not there: " + path);
    }
  }

  // A file made in every directory is told once, where it is, and nothing else is.
  void check_probes(std::vector<std::string>& faults) {
    std::vector<std::string> want{"t/probe"};
    for (const auto& [path, directory] : listing()) {
      if (directory) want.push_back(path + "/probe");
    }
    std::ranges::sort(want);
    probing_ = true;
    for (const std::string& path : want) perform({Operation::Kind::make_file, path}, top_);
    backend_->absorb();
    settle();
    std::ranges::sort(probes_);
    for (const std::string& path : want) {
      if (!std::ranges::binary_search(probes_, path)) faults.push_back("not told: " + path);
    }
    if (probes_.size() > want.size()) faults.push_back("told more than there is: " + probes_[0]);
  }

  backend::WatchBackend& inotify_;
  const std::vector<Operation>& operations_;
  std::mt19937 random_;
  unsigned eagerness_;
  bool doubts_;
  bool amid_;
  bool changes_in_walk_;
  bool stops_;  // this sink, at every third event
  bool exchanges_;
  std::size_t next_ = 0;
  bool watching_ = false;
  fs::path top_;
  Interleaved* backend_ = nullptr;
  std::unique_ptr<WatcherInside::Impl> watcher_;
  Reader reader_{std::ranges::none_of(operations_, [](const Operation& operation) {
    return operation.path.starts_with("o/") || operation.to.starts_with("o/");
  })};
  std::size_t told_ = 0;
  bool probing_ = false;
  std::vector<std::string> probes_;  // what was told of them
  std::vector<std::string> story_;
};

}  // namespace

Outcome play(const std::vector<Operation>& operations, std::uint32_t schedule,
             backend::WatchBackend& inotify) {
  return Player(operations, schedule, inotify).play();
}

}  // namespace interleaving
