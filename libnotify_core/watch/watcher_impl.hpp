// SPDX-License-Identifier: GPL-2.0-or-later
// The watcher's inside. watcher.cpp tells the story of the events; tree_keeper.cpp, move_keeper.cpp and
// newcomers.cpp keep the tree true.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "backend/backend.hpp"
#include "notify_core/watcher.hpp"
#include "sys/handle.hpp"
#include "watch/births.hpp"
#include "watch/denied.hpp"
#include "watch/foresight.hpp"
#include "watch/move_pairing.hpp"
#include "watch/process_names.hpp"
#include "watch/recovery.hpp"
#include "watch/sightings.hpp"
#include "watch/tree_scanner.hpp"
#include "watch/untold.hpp"
#include "watch/watch_tree.hpp"

namespace notify_core {

namespace watch {

// What the program gave to be called, as long as one call of it lasts: by an exception, too.
template <class Pointer>
class During {
 public:
  During(Pointer& place, Pointer given) : place_(place) { place_ = given; }
  ~During() { place_ = nullptr; }
  During(const During&) = delete;
  During& operator=(const During&) = delete;

 private:
  Pointer& place_;
};

}  // namespace watch

inline constexpr std::int64_t queueing_pause = 1'000'000;  // nanoseconds

class NOTIFY_LOCAL Watcher::Impl : public watch::ScanListener {
 public:
  Impl(WatcherOptions options, std::unique_ptr<backend::WatchBackend> backend);

  virtual ~Impl() = default;

  // fanotify tells of no unmount, and the kernel refuses to watch for nothing; but not for directories alone.
  bool nothing_to_tell() const {
    return options_.backend != Backend::inotify &&
           (options_.mask & (mask::all_events | mask::is_directory)) == 0;
  }
  virtual Result<void> add(std::string_view path, const std::function<void(const Error&)>& on_unreadable);
  Result<Wait> wait(std::optional<std::chrono::nanoseconds> timeout, EventSink& sink);
  std::optional<std::chrono::nanoseconds> next_timeout() const;
  Result<Wait> dispatch(EventSink& sink) { return read_all(sink, false); }
  int descriptor() const { return backend_->descriptor(); }
  // From within what the program gave to be called, all is in the middle of something.
  bool is_handing_on() const { return sink_ != nullptr || on_unreadable_ != nullptr; }
  bool has_work() const {
    return unread_ || (!calm_ && (!retired_.empty() || !unsettled_.empty() || !denied_lately_.empty() ||
                                  room_is_due_ || seeks_hidden() || in_doubt()));
  }
  const watch::WatchTree& tree() const { return tree_; }

  // ScanListener
  bool leaves_out(watch::NodeId parent, std::string_view name) override;
  void unlisted(watch::NodeId node, bool newborn) override;
  void sighted(watch::NodeId node, watch::NodeId parent, std::string_view name, bool told) override;
  void slipped_away(watch::NodeId node) override;
  void taken_for_old(watch::NodeId node) override;
  bool is_told(watch::NodeId node) override;
  bool was_ended(int watch) override;
  void half_seen(watch::NodeId node) override {
    if (repairing_) half_seen_.insert(node);
  }
  bool shut_out(watch::NodeId node) override;
  bool is_old(watch::NodeId parent, std::string_view name, int directory) override;
  void beyond_limit(watch::NodeId parent, std::string_view name, bool old) override;
  void listed(watch::NodeId node, int directory) override;
  void found(watch::NodeId parent, std::string_view name, bool directory) override;
  void failed(Error error) override;
  bool denied(watch::NodeId parent, std::string_view name, bool newborn) override;
  EventMask also_asked(watch::NodeId node) const override {
    return denied_.is_telling(tree_.watch(node)) ? mask::attrib : 0;
  }

 protected:
  // What FilesystemImpl, which needs no tree to be watched, does in its own way.
  virtual void handle(const backend::Record& record);
  virtual void queue_drained();

  // Why a watch ends.
  enum class End { deleted, moved_out, unknown };

  // watcher.cpp and handing_on.cpp: reading and handing on
  Result<Wait> read_all(EventSink& sink, bool resting);
  bool read_and_hand_on(Result<Wait>& result, bool resting);
  void hand_on_batch();
  void recover_before(watch::NodeId node, const backend::Record& record, bool& wanted);
  void report(watch::NodeId node, EventMask mask, std::uint32_t cookie, std::string_view name,
              std::int32_t pid = 0, bool recovered = false);
  [[gnu::noinline]] void place_file(watch::NodeId node, Event& event) const;
  void report_found(const std::vector<watch::Found>& found);
  void notice(Notice::Kind kind, std::string_view path, std::uint32_t watch = 0,
              const Error* error = nullptr);
  bool concerns_tree(const backend::Record& record) const;
  bool is_calm() const;
  [[gnu::noinline]] void work_on_drained();
  [[gnu::noinline]] void handle_in_tree(watch::NodeId node, const backend::Record& record);
  [[gnu::noinline]] void report_elsewhere(const backend::Record& record);
  void tell_lost();
  void report_recovered();
  void pause_under_load();
  bool asked_or_vital(EventMask mask) const;
  [[gnu::noinline]] bool name_program(Event& event);
  void hand_on(Event& event);
  [[gnu::noinline]] void keep(const Event& event);
  [[gnu::noinline]] void hand_on_kept();

  // Was it watched, and in its place, before the events at hand were queued?
  bool known_since_before(watch::NodeId node) const {
    return tree_.order(node) != 0 && tree_.order(node) <= known_before_;
  }

  // The same, or an event in it was read since. Whatever moves there from now on is told.
  bool is_heard_of(watch::NodeId node) const { return tree_.was_heard(node) || known_since_before(node); }

  // tree_keeper.cpp, move_keeper.cpp and newcomers.cpp: births, moves, deaths, repair
  bool says_absolute_paths() const { return options_.backend != Backend::inotify; }
  Error adding_error(int status, std::string_view path) const;
  std::string root_name(const std::string& path, bool directory) const;
  void root_moved(watch::NodeId root);
  void end_operands();
  Result<void> add_plain(const std::string& path);
  Result<void> add_tree(const std::string& path, sys::Fd directory);
  void follow_before(watch::NodeId node, const backend::Record& record);
  void doubt_listing(watch::NodeId node);
  void follow_after(watch::NodeId node, const backend::Record& record);
  bool walk_tree(watch::NodeId root, sys::Fd directory);
  bool complete_tree(watch::NodeId root, sys::Fd directory);
  bool is_excluded(std::string_view path) const;
  bool was_left_out(watch::NodeId parent, std::string_view name);
  watch::Unread unread_records();
  void read_to_the_end();
  bool read_on_or_pause();
  int who_left(watch::NodeId parent, const std::string& name, const backend::Record& record);
  void left(watch::NodeId parent, const std::string& name, const backend::Record& record);
  bool has_come_unheard(int watch, const watch::Sightings::Place& to);
  bool is_far_behind();
  bool is_told_of(int watch);
  bool is_place_told_of(const watch::Sightings::Place& place);
  void conclude_unheard(watch::NodeId node);
  bool settle_moved(watch::NodeId node);
  bool follow_ahead(watch::NodeId node, const backend::Record& record);
  bool is_told_already(const backend::Record& record) const {
    return (record.mask & mask::moved_to) && record.cookie == told_ahead_ && told_ahead_ != 0;
  }
  void complete_exchange(const watch::Sightings::Place& from, watch::Sightings::Place to);
  void arrived(watch::NodeId parent, const backend::Record& record);
  void came_for_another(watch::NodeId node);
  void self_moved(watch::NodeId node);
  void put_at(watch::NodeId node, watch::NodeId parent, const std::string& name);
  void outdated(watch::NodeId node);
  void not_outdated(watch::NodeId node);
  void announce_outdated(watch::NodeId node);
  std::vector<watch::Sightings::Place> untold_places(int watch) const;
  bool in_doubt() const;
  void settle_doubts();
  bool settle_doubt(watch::NodeId node);
  bool put_where_seen(watch::NodeId node);
  void doubt(int watch, watch::ScanKind kind = watch::ScanKind::arrival);
  void list_doubted(watch::NodeId node);
  std::vector<int> doubtful_watches() const;
  bool put_where_told_last(watch::NodeId node);
  bool put_where_it_went(watch::NodeId node);
  bool is_still_to_come(watch::NodeId node);
  bool put_as_newcomer(watch::NodeId node, watch::Sightings::Place place);
  bool is_mounted_here(watch::NodeId node);
  bool put_at_mount(watch::NodeId node);
  bool is_mounted_at(watch::NodeId node, const watch::Sightings::Place& place);
  bool comes_back(watch::NodeId node);
  bool is_away(watch::NodeId node) const;
  bool has_come_back(const watch::Move& move, watch::NodeId parent, const std::string& name);
  std::optional<bool> stands_at(const watch::Sightings::Place& place, int watch);
  void list_newcomer(watch::NodeId node);
  void find_in_arrivals(const std::string& name, std::uint32_t cookie);
  bool went_into_arrival(watch::NodeId node);
  bool is_arrival_to_come(std::uint32_t cookie);
  void all_below_is_untold(watch::NodeId top);
  void await_listing(watch::NodeId node);
  void list_rest_later(watch::NodeId top);
  int watch_newborn(watch::NodeId parent, const std::string& name, watch::ScanKind kind, sys::Fd place,
                    sys::Fd& directory);
  void end_stranger(int watch);
  void born(watch::NodeId parent, const std::string& name, watch::ScanKind kind, bool told = false);
  void news_of(watch::NodeId node);
  sys::Fd open_confirmed(watch::NodeId node);
  void settle_again();
  watch::NodeId root_of(watch::NodeId node) const;
  bool is_astray(watch::NodeId node);
  void wait_for_return(watch::NodeId node, watch::ScanKind kind);
  void see_who_returned();
  bool add_astray(watch::NodeId node, watch::ScanKind kind);
  void forget_astray(watch::NodeId node);
  void has_returned(int root);
  bool births_wait() const;
  // What hid may be known to do so in vain after the next read.
  bool seeks_hidden() const { return births_.anything_hides() && unopened_.empty(); }
  void see_to_births();

  // births.cpp
  sys::FileTimes times_of(watch::NodeId node);
  void add_birth(const sys::FileTimes& times);
  void have_been_born(watch::NodeId top);
  void missed_birth(watch::NodeId parent);
  void hear_of_birth(const sys::FileTimes& times);
  bool is_to_leave(watch::NodeId parent, std::string_view name);
  bool was_born_unseen(watch::NodeId parent, const std::string& name);
  static bool went_at_once(int directory, const std::string& name);
  bool was_hidden(int directory, const std::string& name);
  bool may_be_news(int directory, const std::string& name) const;
  bool came_late(watch::NodeId parent, std::string_view name);
  bool came_from_outside(watch::NodeId parent, const std::string& name);

  // denied.cpp
  bool is_searchable(watch::NodeId node) const;
  watch::NodeId who_blocks(watch::NodeId node) const;
  bool deny(watch::NodeId node, watch::ScanKind kind, int looks = 0);
  void await_rights(int above, std::string_view name);
  void ask_for_rights();
  void wait_above(watch::NodeId node, const std::string& name);
  void rights_changed(watch::NodeId node, const std::string& name);
  void list_unsearchable(sys::Fd directory, watch::NodeId node, watch::ScanKind kind);
  void let_in(watch::NodeId node);
  void denied_moved(watch::NodeId top);
  void denied_at_first(watch::NodeId root);

  static constexpr int tries_at_most = 20;
  struct Unsettled {
    int watch;
    watch::ScanKind kind;
    int tries;
    int held = 0;           // for how many reads it was left alone
    int looks = 0;          // for how often it could not be listed and had the rights after that
    std::string born = {};  // what was born in it, and could not be found
    bool quiet = false;     // nothing is said if it may not be listed
  };

  // left_unwatched.cpp
  void unmounted(watch::NodeId node);
  void watch_uncovered();
  void look_for_room();
  void expect_room();
  std::optional<std::chrono::nanoseconds> time_to_try_room() const;
  Result<Wait> wait_for_events(std::optional<std::chrono::nanoseconds> timeout, EventSink& sink);
  void use_room();
  bool is_room_in(watch::NodeId parent);
  void leave_unopened(const Unsettled& unsettled);
  void open_again();
  void forget_unwatched(watch::NodeId node);
  void forget_all_unwatched();

  bool has_no_directories(watch::NodeId node, const sys::Fd& place) const;
  bool list_again(watch::NodeId node, watch::ScanKind kind);
  bool rescue_sighted(watch::NodeId top);
  void drop(watch::NodeId node, End end);
  void drop_one(watch::NodeId node, End end);
  void retire_some();
  void repair();
  void repair_root(watch::NodeId root);
  void repair_below(watch::NodeId top, sys::Fd directory);
  bool repair_again(watch::NodeId top);
  void repair_tree(watch::NodeId top, sys::Fd directory);
  sys::Fd open_to_list(watch::NodeId node);
  void drop_unseen();
  void sweep_all_below(watch::NodeId top);
  int watch_root(const std::string& path, int directory);

  WatcherOptions options_;
  EventMask kernel_events_;
  std::unique_ptr<backend::WatchBackend> backend_;

  // What every event is held against stands side by side: to a program that slept until now, nothing costs
  // more than the memory it looks at.
  EventSink* sink_ = nullptr;  // during dispatch()
  bool stopped_ = false;
  bool calm_ = false;  // as is_calm() found when the queue was last empty, and nothing came since
  bool walk_was_disturbed_ = false;  // something was queued at its end, and that has not all been read
  bool seen_to_ = false;             // when the sink stopped, all that was read had been handled
  bool unread_ = false;              // the last batch was left half handed on
  watch::NodeId departing_ = watch::no_node;  // left the tree; goes when its MOVE_SELF is handed on
  watch::NodeId newcomer_ = watch::no_node;   // came back to the tree; listed when its MOVE_SELF is handed on
  std::uint32_t last_known_ = 0;              // tree_.last_order() before the last read
  std::size_t batch_events_ = 0;              // of the last read
  std::uint64_t recovery_mark_ = 0;           // recovery_.mark() before the last read
  std::timespec batch_time_{};
  watch::WatchTree tree_;
  watch::Recovery recovery_{tree_};
  watch::UntoldDirectories untold_;   // newcomers and the directories below them, until they are listed
  std::unordered_set<int> away_;      // watches of directories out of the tree that will be back at once
  std::unordered_set<int> outdated_;  // watches of directories reported before the one they replaced was gone
  // fanotify: where operands that are no directories stand (absolute paths), by node.
  std::unordered_map<watch::NodeId, std::string> file_places_;
  watch::ProcessNames processes_;

  watch::TreeScanner scanner_;
  watch::MovePairing moves_;
  int moving_ = backend::unwatched;  // the watch of what left its place, while nothing more is read of that
  std::uint32_t told_ahead_ = 0;     // the cookie of a MOVED_TO that was handled before its turn
  watch::Sightings::Place last_from_, last_to_;  // of the last rename within the tree
  watch::Sightings::Place last_arrival_;         // of the last rename, where that was told
  std::unordered_set<std::string> excluded_;
  bool repairing_ = false;                       // every root is walked again: excluded paths count
  bool ends_unheard_ = false;                    // the queue overflowed: an operand may have ended
  std::unordered_set<watch::NodeId> half_seen_;  // by a repair, which could not look at all that is in them
  std::unordered_set<int> unrepaired_;  // watches of those it could not look at, until they are within reach
  std::string scratch_;                 // a path being put together
  std::vector<watch::Found> due_;

  std::unordered_set<int> retired_;  // watches whose node is gone, still to be ended in the kernel
  void give_up(watch::NodeId node, const Unsettled& unsettled);
  std::vector<Unsettled> unsettled_;  // directories that could not be found by their path: listed again later
  watch::Sightings sightings_;
  // Watches of directories that may not be where they should be; and how they are to be listed once found.
  std::unordered_map<int, watch::ScanKind> doubted_;
  // The same for those of an operand that is not where it was, nor is anything said of that; by its watch.
  std::map<int, std::unordered_map<int, watch::ScanKind>> astray_;
  std::unordered_set<int> astray_heard_;  // watches of operands in which something happened since
  int last_looked_for_ = -1;
  watch::Denied denied_;
  struct Awaited {
    int above;
    std::string name;
  };
  std::vector<Awaited> denied_lately_;     // above what is denied: nobody has asked for its ATTRIB so far
  std::vector<std::string> denied_paths_;  // during add()
  // By watch: the names of what was moved into a directory and had left when that was to be watched, or into
  // one that could not be found by its path then.
  std::unordered_map<int, std::unordered_set<std::string>> late_arrivals_;
  // By the watch of the directory above: names of what was unmounted since the queue was last empty.
  std::unordered_map<int, std::unordered_set<std::string>> uncovered_;
  // The same, of those for which there were no watches: one name in each directory, to try.
  std::unordered_map<int, std::string> beyond_limit_;
  // What could not be listed for want of descriptors.
  std::vector<Unsettled> unopened_;
  bool shortage_said_ = false;       // and since then there were never enough of them
  bool watches_were_freed_ = false;  // our own, since that was tried
  bool room_is_due_ = false;         // to be tried at the next read that brings nothing
  int room_held_ = 0;                // for how many reads there was always something
  bool using_room_ = false;          // whatever is beyond the limit now was so before
  std::int64_t soonest_try_ = 0;     // monotonic nanoseconds
  std::int64_t next_try_ = 0;        // the same, where nothing was freed
  std::int64_t quiet_try_ = 0;       // and where nothing happens
  std::int64_t quiet_pause_ = 0;     // before that
  bool sighted_lately_ = false;
  int doubtful_reads_ = 0;          // since something is in doubt: those that emptied the queue
  std::uint32_t known_before_ = 0;  // last_known_, before the last read but one that emptied the queue
  bool listing_untold_ = false;
  // Watches of directories found in one that was moved in, since the last read and since the one before.
  std::unordered_set<int> taken_for_old_, taken_before_;
  watch::Births births_;
  watch::Departures departures_;
  bool ended_hidden_ = false;    // the watch that was_ended() was asked of last was of one that hid
  std::int64_t last_birth_ = 0;  // when that was made of which the queue told last
  int place_error_ = 0;          // why open_confirmed() found nothing
  const std::function<void(const Error&)>* on_unreadable_ = nullptr;  // during add()
  Error limit_error_;
  std::unordered_set<int> short_;  // operands that a limit kept from being watched as a whole

  // Reported when the sink had stopped: the next call hands it on first.
  struct Kept {
    Event event;
    std::string watched, name;
  };
  std::deque<Kept> kept_;

  std::size_t lost_ = 0;              // events of directories that could not be found
  std::int64_t last_forgetting_ = 0;  // monotonic nanoseconds

  // What pause_under_load() goes by.
  bool busy_ = false;
  std::int64_t window_start_ = 0;
  std::int64_t last_busy_ = 0;
  std::size_t window_events_ = 0;
  std::size_t rate_ = 0;          // events a millisecond
  bool one_read_will_do_ = true;  // so it was the last time
};

}  // namespace notify_core
