// SPDX-License-Identifier: GPL-2.0-or-later
// fanotify(7) as a WatchBackend. Objects are known by their file handles, each of which is given a number: a
// watch's number is that of the directory or file marked. fanotify differs from inotify in what follows:
//
// A rename is one record (FAN_RENAME). It is handed on as the two halves of inotify with a cookie of their
// own, and, for a watched directory, MOVE_SELF after them. The kernel adds what it says of one entry to the
// record it has queued already. What made or ended an entry is handed on apart from the rest, a creation
// before and a deletion after it, and after all that happened before it (FanotifyForesight). As the end of a
// directory can still come before the last events in it, "ignored" is handed on once the queue has been read
// to its end. What this process does itself is left out.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "backend/backend.hpp"
#include "backend/fanotify_decoder.hpp"
#include "backend/fanotify_flags.hpp"
#include "backend/fanotify_queue.hpp"
#include "backend/handle_table.hpp"
#include "backend/mount_list.hpp"
#include "notify_core/error.hpp"
#include "sys/fd.hpp"

namespace notify_core::backend {

class FanotifyBackend final : public WatchBackend {
 public:
  // `events`: what every mark asks for.
  static Result<std::unique_ptr<FanotifyBackend>> create(FanotifyScope scope, EventMask events);

  int descriptor() const override { return queue_.descriptor(); }
  int enter(int directory) override;
  // The events asked for are those of create(): as its own events are left out, a directory that is being
  // listed needs no others.
  int add(const char* name, EventMask events, unsigned flags) override;
  int add_path(const char* path, EventMask events, unsigned flags) override;
  int remove(int watch) override;
  bool keeps_place() const override { return false; }
  void use_working_directory(bool use) override { (void)use; }
  bool has_queued() const override;
  std::ptrdiff_t fill() override;
  bool next(Record& record) override;
  bool drained() const override { return queue_.drained(); }
  std::size_t queue_limit() const override { return queue_limit_; }
  const char* adding_call() const override { return "fanotify_mark"; }
  std::string explain(int status) const override;
  std::string where(int watch) const override;
  void ask_for_paths(std::function<std::string(int watch)> path_of) override {
    path_of_ = std::move(path_of);
  }
  std::size_t take_lost() override { return std::exchange(lost_, 0); }

  // For FanotifyScope::filesystems.
  // The number of an open directory, or minus the errno.
  int number_of(int directory);
  // Opens (O_PATH) the directory that a number stands for. ESTALE: it is gone.
  int open_directory(int number);
  // Opens (O_PATH) the directory above; ENOENT at the top of what is mounted. Another error: not now.
  int open_above(int directory);
  // What tells its filesystem from others; valid until the number is forgotten.
  std::string_view filesystem_of(int number) const { return MountList::filesystem(handles_.key(number)); }
  // Directories outside of the mount that an open directory is on are to be found as well.
  void know_top(int directory) { mounts_.know_top(directory); }
  // Where a directory stands until the next rename or the removal of it in what has been read. False: there
  // is none. `name` is valid until the next fill().
  struct Foretold {
    int above = -1;
    std::string_view name;
    bool removed = false;
  };
  bool foretold(int number, Foretold& place);
  // Reads what has been queued since, to be handed on in its turn. False: nothing.
  bool look_ahead() { return queue_.read_on(); }
  // Nothing more is expected of it.
  void forget(int number) { handles_.forget(number); }

 private:
  FanotifyBackend(sys::Fd fanotify, FanotifyScope scope, EventMask events, std::size_t queue_limit);

  // The end of a file is told by nothing else.
  EventMask marked_events() const { return watches_files_ ? events_ | mask::delete_self : events_; }
  int add_at(int directory, const char* name, unsigned flags);
  int mark(int directory, const char* name, unsigned flags);
  int unmark(const std::string& key);
  void ignore_of_files(int directory, const char* name, unsigned flags);
  int mark_as(const FanotifyMark& wanted, int directory, const char* name, unsigned flags);

  void take_apart(const FanotifyEvent& event);
  void take_apart_rename(const FanotifyEvent& event);
  void hand_on_rename(const FanotifyEvent& event);
  void take_apart_entry(const FanotifyEvent& event, int directory);
  bool came_and_went(const FanotifyEvent& event);
  void take_apart_self(const FanotifyEvent& event, int number);
  bool is_ahead_of_its_rename(const FanotifyEvent& event);
  void take_unplaced(const FanotifyEvent& event);
  void take_elsewhere(const FanotifyEvent& event);
  int locate(ObjectKey directory);
  int locate_by_departure(ObjectKey directory);
  int locate_unopened(ObjectKey directory);
  bool is_at(int parent, const std::string& name, ObjectKey directory, bool look);
  bool list_for(int parent, ObjectKey directory);
  void learn(const FanotifyEvent& event, const FanotifyEvent::Place& place);
  void queue(const FanotifyEvent& event, EventMask mask, int watch, std::string_view name, int target = -1);
  int directory_number(ObjectKey directory);
  void remove_entry(const FanotifyEvent& event, int directory, int target);
  void hand_on_missing(std::size_t position);
  void hand_on_deferred();
  void hand_on_ends();
  bool find_wanderers();
  bool holds(const FanotifyEvent::Place& place, ObjectKey object);

  FanotifyQueue queue_;
  FanotifyScope scope_;
  EventMask events_;
  FanotifyMark best_mark_;  // that the kernel took for a directory
  std::size_t queue_limit_;
  std::int32_t own_process_ = 0;

  HandleTable handles_;
  MountList mounts_;
  int directory_ = -1;  // where names are looked up

  std::vector<Record> queued_;  // what one record of the kernel became
  std::size_t handed_on_ = 0;
  std::uint32_t last_cookie_ = 0;
  std::int32_t moving_process_ = 0;  // who made the last MOVED_FROM, where there is no FAN_RENAME
  int moved_directory_ = -1;  // MOVE_SELF was handed on after its rename; the kernel's own is still to come
  std::vector<int> ended_;    // watches whose "ignored" is to follow
  bool watches_files_ = false;
  // Removals that are told too early.
  struct Deferred {
    std::size_t until;     // this record has been handed on
    std::size_t position;  // its own
    FanotifyEvent event;
    int directory;
    int target;
  };
  std::vector<Deferred> deferred_;
  std::size_t renames_ = 0;      // in this batch
  std::size_t searched_at_ = 0;  // records of the batch, when wanderers were looked for
  std::string located_;          // what Record::directory views
  std::function<std::string(int watch)> path_of_;
  bool may_open_ = true;  // handles
  // Where directories were said to be that are not watched: for who may not open them.
  std::unordered_map<std::string, std::pair<int, std::string>> learnt_;
  std::unordered_set<std::string> left_behind_;  // directories whose marks could not be taken off
  std::size_t lost_ = 0;

  // A filesystem's mark tells of files too, but not where they are; the record of the same deed does.
  std::string unplaced_object_;
  EventMask unplaced_mask_ = 0;
  std::string moved_file_;
  int moved_file_directory_ = -1;
  std::string moved_file_name_;
};

}  // namespace notify_core::backend
