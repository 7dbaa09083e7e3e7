// SPDX-License-Identifier: GPL-2.0-or-later
#include "watch/first_walk.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "sys/syscall.hpp"
#include "watch/places.hpp"
#include "watch/retread.hpp"

namespace notify_core::watch {
namespace {

constexpr std::size_t listing_buffer = 64 * 1024;
constexpr std::size_t open_levels = 24;  // as long as descriptors last
constexpr unsigned child_flags =
    backend::add_directory_only | backend::add_no_follow | backend::add_keep_old_events;
constexpr unsigned silencing_flags = backend::add_directory_only | backend::add_no_follow;
constexpr int open_flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW;
constexpr std::size_t large_walk = 1000;  // directories: worth a thread
constexpr std::size_t worthwhile = 64;    // directories watched between two shares
// Where fewer than one of so many is listed, nearly all time goes by inside inotify_add_watch(2): measured,
// two threads save a third of the time there, and take a quarter more of the processor's.
constexpr std::size_t mostly_leaves = 8;

bool says_leaf(const sys::FileFacts& facts, std::uint64_t device_above) {
  constexpr std::uint32_t none_below = 2;
  return facts.device == device_above &&
         facts.links == none_below;  // of what is mounted over, it says nothing
}

}  // namespace

FirstWalk::FirstWalk(backend::WatchPlacer& placer, const WalkRules& rules, WalkSink& sink,
                     WalkSharing* sharing)
    : placer_(placer),
      rules_(rules),
      sink_(sink),
      sharing_(sharing),
      most_open_(open_levels),
      reader_(listing_buffer) {}

bool FirstWalk::walk(sys::Fd directory, int watch, std::string path) {
  path_ = std::move(path);
  entered_ = 1;
  sys::FileFacts facts;
  sys::facts_of(directory.get(), facts);
  push(std::move(directory), watch, {}, facts);
  return run();
}

void FirstWalk::walk(WalkShare& share) {
  path_ = share.path;
  names_ = share.names;
  base_depth_ = share.depth;
  visited_depths_ = share.visited;
  Frame frame;
  frame.directory = std::move(share.directory);
  frame.end = names_.size();
  frame.path_length = path_.size();
  frame.device = share.device;
  frame.links_count = share.links_count;
  frames_.push_back(std::move(frame));
  share.complete = run();
}

bool FirstWalk::run() {
  while (!frames_.empty()) {
    if (!limit_reached_) share_if_wanted();
    if (limit_reached_ || frames_.back().next == frames_.back().end) {
      leave();
    } else {
      visit_next();
    }
  }
  return !limit_reached_;
}

void FirstWalk::push(sys::Fd directory, int watch, std::string_view name, const sys::FileFacts& facts) {
  Frame frame;
  frame.watch = watch;
  frame.names_begin = frame.next = frame.end = names_.size();
  frame.device = facts.device;
  frame.links = facts.links;
  const bool as_above = !frames_.empty() && frames_.back().device == facts.device;
  frame.links_count = as_above ? frames_.back().links_count : link_count_counts(directory.get());
  if (!name.empty()) path_.append(name).push_back('/');
  frame.path_length = path_.size();
  frame.directory = std::move(directory);
  frames_.push_back(std::move(frame));
  // The first one stays open: what was closed is found again from there.
  if (frames_.size() > most_open_ + 1) frames_[frames_.size() - 1 - most_open_].directory.reset();
  list(frames_.back());
}

void FirstWalk::list(Frame& frame) {
  ++listed_;
  std::uint32_t subdirectories = 0;
  for (;;) {
    const std::ptrdiff_t read =
        reader_.read(frame.directory.get(), [&](const char* name, unsigned char type) {
          if (!is_directory(frame.directory, name, type)) return true;
          ++subdirectories;
          entry(frame, name);
          return !limit_reached_;
        });
    if (read < 0 && !vanished(static_cast<int>(read))) fail(static_cast<int>(read), "getdents64", {});
    if (read <= 0 || limit_reached_) return;
    // What is made from here on has an event of its own: the directory is watched. Not where more is to be
    // read: what was renamed meanwhile may have been counted twice, in place of one yet to come.
    if (frame.links_count && reader_.had_room(read) && subdirectories + 2 == frame.links) return;
  }
}

// Watching a directory has the kernel look at all its entries. So one that is going to be listed is watched
// just before that, which finds them at hand, and not with its neighbours; what comes behind one that was put
// off is said after that, and so put off, too.
void FirstWalk::entry(Frame& frame, const char* name) {
  if (rules_.leaves_out) {
    path_.append(name).push_back('/');
    const bool left_out = rules_.leaves_out(path_);
    path_.resize(frame.path_length);
    if (left_out) return;
  }
  if (frame.next != frame.end || is_visit_likely()) return put_off(frame, name);
  const int watch = placer_.add(name, rules_.events, child_flags);
  if (watch < 0) return fail(watch, placer_.adding_call(), name);
  if (!begin(name, watch)) return;
  if (is_leaf(frame, name)) return end_leaf();
  note_visit(true);
  put_off(frame, name);
  frame.begun = watch;
}

void FirstWalk::put_off(Frame& frame, std::string_view name) {
  names_.append(name).push_back('\0');
  frame.end = names_.size();
}

void FirstWalk::end_leaf() {
  note_visit(false);
  sink_.end(true);
}

// False where it was watched before: it is as it was, then.
bool FirstWalk::begin(const char* name, int watch) {
  ++watched_;
  if (sink_.begin(name, watch)) return true;
  read_again(frames_.back(), name);
  return false;
}

// Of an entry of the directory on top, which is watched.
bool FirstWalk::is_leaf(const Frame& frame, const char* name) const {
  sys::FileFacts facts;
  const int place = placer_.keeps_place() ? AT_FDCWD : frame.directory.get();
  return frame.links_count && sys::facts_at(place, name, AT_SYMLINK_NOFOLLOW, facts) >= 0 &&
         says_leaf(facts, frame.device);
}

void FirstWalk::visit_next() {
  Frame& frame = frames_.back();
  const std::string name(&names_[frame.next]);
  frame.next += name.size() + 1;
  int watch = std::exchange(frame.begun, -1);
  const int status = enter_top();
  if (status < 0) {
    fail(status, "fchdir", name);
    if (watch >= 0) sink_.end(false);
  } else {
    sys::Fd directory;
    const bool to_open = watch < 0 ? watch_unseen(name, watch, directory) : silence(name, watch);
    if (to_open) open_and_push(name, watch, std::move(directory));
  }
}

// True where it is to be opened: it is watched for quiet events. It may have been opened ahead, which makes
// watching cheaper; not where operands are watched already, for it may be one of them, and see that.
bool FirstWalk::watch_unseen(const std::string& name, int& watch, sys::Fd& directory) {
  const bool likely = is_visit_likely();
  const bool quiet = likely && has_quiet();
  if (likely && rules_.alone) directory = open_child(name);
  watch = placer_.add(name.c_str(), quiet ? rules_.quiet_events : rules_.events, child_flags);
  if (watch < 0) {
    fail(watch, placer_.adding_call(), name);
    return false;
  }
  if (!begin(name.c_str(), watch)) return false;
  if (likely) return true;
  if (is_leaf(frames_.back(), name.c_str())) {
    end_leaf();
    return false;
  }
  note_visit(true);
  return silence(name, watch);
}

// Before the directory of this watch is opened, which makes events. Where the name has become something else,
// that stays as it was.
bool FirstWalk::silence(const std::string& name, int watch) {
  if (!has_quiet()) return true;
  const int found = placer_.add(name.c_str(), rules_.quiet_events, silencing_flags);
  if (found == watch) return true;
  if (found >= 0) placer_.add(name.c_str(), rules_.events, child_flags);
  give_up(name, watch, found < 0 ? found : -ENOENT, false);
  return false;
}

// Between being watched and being opened, the name may have come to stand for something else. What was
// watched is being moved, then: it is listed again when its events say so, and costs nothing here.
void FirstWalk::open_and_push(const std::string& name, int watch, sys::Fd directory) {
  int status = 0;
  if (!directory) directory = open_child(name, &status);
  if (!directory) return give_up(name, watch, status, false);
  sys::FileFacts facts;
  sys::facts_of(directory.get(), facts);
  if (frames_.back().links_count && says_leaf(facts, frames_.back().device)) {
    directory.reset();
    ask_for_all_events(name.c_str(), watch);
    return end_leaf();
  }
  note_visit(true);
  status = placer_.enter(directory.get());
  entered_ = 0;
  if (status < 0) {
    directory.reset();
    return give_up(name, watch, status, true);
  }
  entered_ = frames_.size() + 1;
  push(std::move(directory), watch, name, facts);
}

// `failed`: where to put the errno.
sys::Fd FirstWalk::open_child(const std::string& name, int* failed) {
  const int parent = frames_.back().directory.get();
  int opened = sys::open_at(parent, name.c_str(), open_flags);
  if (opened == -EMFILE || opened == -ENFILE) {
    close_above();
    opened = sys::open_at(parent, name.c_str(), open_flags);
  }
  if (opened < 0 && failed != nullptr) *failed = opened;
  return sys::Fd(opened);
}

// What was begun cannot be listed.
void FirstWalk::give_up(const std::string& name, int watch, int status, bool readable) {
  sink_.end(false);
  if (vanished(status)) return sink_.missed(watch);
  if (enter_top() >= 0) ask_for_all_events(name.c_str(), watch);
  // Readable but not searchable: what is in it cannot be watched, by anyone of this user, until its rights
  // are changed.
  if (readable && status == -EACCES) return sink_.missed(watch);
  fail(status, "open", name);
}

// The place where names are looked up, unless it is that already.
int FirstWalk::enter_top() {
  if (entered_ == frames_.size() && placer_.keeps_place()) return 0;
  const int status = placer_.enter(frames_.back().directory.get());
  entered_ = status < 0 ? 0 : frames_.size();
  return status;
}

// Of `name` in the directory entered, which should be that of the watch.
void FirstWalk::ask_for_all_events(const char* name, int watch) {
  if (has_quiet() && placer_.add(name, rules_.events, child_flags) != watch) sink_.missed(watch);
}

// Descriptors have run out: keeps only the first directory and the one on top open, from now on too.
void FirstWalk::close_above() {
  most_open_ = 1;
  for (std::size_t i = 1; i + 1 < frames_.size(); ++i) frames_[i].directory.reset();
}

void FirstWalk::leave() {
  while (!frames_.back().shares.empty()) take_back(frames_.back());
  Frame frame = std::move(frames_.back());
  frames_.pop_back();
  names_.resize(frame.names_begin);
  nothing_before_ = std::min(nothing_before_, frames_.empty() ? 0 : frames_.size() - 1);
  if (!frames_.empty()) path_.resize(frames_.back().path_length);
  if (frame.watch < 0) return;
  sink_.end(false);
  if (!frames_.empty() && !frames_.back().directory) reopen(frames_.back(), frame.directory.get());
  if (has_quiet() && frame.directory) restore_events(frame);
}

// Comes back to a directory that was closed to save descriptors: it is the parent of `child`, unless
// something was moved meanwhile; then by its path. Where it is not there either, it is listed again when its
// events have told where it went.
void FirstWalk::reopen(Frame& frame, int child) {
  frame.directory.reset(child < 0 ? -1 : sys::open_at(child, "..", open_flags));
  entered_ = 0;
  for (const bool by_path : {false, true}) {
    if (by_path) {
      const std::string below_first = path_.substr(frames_.front().path_length);
      frame.directory.reset(open_path(frames_.front().directory.get(), below_first, open_flags));
    }
    if (!frame.directory || placer_.enter(frame.directory.get()) < 0) continue;
    constexpr unsigned here = backend::add_directory_only | backend::add_keep_old_events;
    if (placer_.add(".", rules_.quiet_events, here) == frame.watch) {
      entered_ = frames_.size();
      return;
    }
  }
  frame.directory.reset();
  if (frame.next != frame.end) sink_.missed(frame.watch);
  frame.next = frame.end;
}

// The directory is closed before all events are asked for, so that none comes of closing it. Where that would
// lose the place, it is held by a descriptor that makes no events.
void FirstWalk::restore_events(Frame& frame) {
  const bool stays = placer_.keeps_place();
  const bool is_there = stays && entered_ == frames_.size() + 1;
  sys::Fd place;
  if (!stays) place.reset(sys::open_at(frame.directory.get(), ".", O_PATH | O_DIRECTORY));
  entered_ = 0;
  if (!is_there && placer_.enter(place ? place.get() : frame.directory.get()) < 0) return;
  frame.directory.reset();
  ask_for_all_events(".", frame.watch);
}

void FirstWalk::read_again(const Frame& frame, const char* name) {
  sys::Fd directory(sys::open_at(frame.directory.get(), name, open_flags));
  if (directory)
    retread(std::move(directory), std::string(path_).append(name).append("/"), rules_.is_excluded);
}

void FirstWalk::share_if_wanted() {
  if (sharing_ == nullptr || listed_ * mostly_leaves < watched_) return;
  if (!sharing_->started()) {
    if (watched_ < large_walk) return;
    // This walk may be gone before the second thread sees that, where an exception ends it.
    sharing_->start([&rules = rules_, sharing = sharing_](auto& placer, WalkShare& share) {
      walk_share(placer, rules, sharing, share);
    });
  }
  if (!sharing_->wanted() || watched_ - watched_when_shared_ < worthwhile) return;
  // Those below the one on top stay as they are until it is their turn: none is looked at twice in vain.
  for (std::size_t i = nothing_before_; i < frames_.size(); ++i) {
    if (give_half(frames_[i])) watched_when_shared_ = watched_;
    if (watched_when_shared_ == watched_ || !sharing_->wanted()) return;
    if (i + 1 < frames_.size()) nothing_before_ = i + 1;
  }
}

// Of the names yet to be visited in this directory. False: there are none to give away.
bool FirstWalk::give_half(Frame& frame) {
  std::size_t first = frame.next;
  if (frame.begun >= 0) first = names_.find('\0', first) + 1;
  if (first == frame.end || !frame.directory) return false;
  const std::size_t middle_end = names_.find('\0', first + (frame.end - first) / 2) + 1;
  std::size_t split = middle_end;
  if (split == frame.end) split = names_.rfind('\0', frame.end - 2) + 1;  // npos + 1 is 0, its own begin
  if (split < first) split = first;
  if (split == first && &frame == &frames_.back()) return false;  // that would only be somebody else's turn
  sys::Fd directory(sys::duplicate(frame.directory.get()));
  if (!directory) return false;
  const std::size_t depth = base_depth_ + static_cast<std::size_t>(&frame - frames_.data());
  const auto share = std::make_shared<WalkShare>(WalkShare{
      std::move(directory), path_.substr(0, frame.path_length), names_.substr(split, frame.end - split),
      frame.device, frame.links_count, depth, visited_depths_, WalkRecord(rules_.last_known)});
  if (!sharing_->offer(share)) return false;
  frame.shares.push_back(share);
  frame.end = split;
  return true;
}

// The share that begins where the frame's own names end.
void FirstWalk::take_back(Frame& frame) {
  const std::shared_ptr<WalkShare> share = std::move(frame.shares.back());
  frame.shares.pop_back();
  entered_ = 0;
  const bool done =
      sharing_->await(*share, [this](WalkShare& other) { walk_share(placer_, rules_, sharing_, other); });
  if (done) share->record.replay(sink_);
  if (!done || !share->complete) limit_reached_ = true;
}

void FirstWalk::walk_share(backend::WatchPlacer& placer, const WalkRules& rules, WalkSharing* sharing,
                           WalkShare& share) {
  FirstWalk(placer, rules, share.record, sharing).walk(share);
}

void FirstWalk::fail(int status, const char* call, std::string_view name) {
  if (vanished(status)) return;
  limit_reached_ = limit_reached_ || limit_reached(status);
  std::string path(path_);
  path += name;
  if (!name.empty()) path += '/';
  sink_.failed(sys::error(status, call, path));
}

}  // namespace notify_core::watch
