// SPDX-License-Identifier: GPL-2.0-or-later
// Walks directories and watches what it finds once events are being reported: what was made, moved in, or is
// looked at again. In the order of listing, each directory before it is listed; with the same care for calls,
// descriptors and events of its own as the first walk has (first_walk.hpp), but a directory that moves
// meanwhile must be told at once.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "backend/backend.hpp"
#include "notify_core/error.hpp"
#include "sys/directory_reader.hpp"
#include "sys/fd.hpp"
#include "watch/watch_tree.hpp"

namespace notify_core::watch {

class ScanListener {
 public:
  virtual ~ScanListener() = default;
  // True: leave the directory `name` in `parent`, and all below it, unwatched.
  virtual bool leaves_out(NodeId parent, std::string_view name) = 0;
  // The directory `node`, known under another name, is now `name` in `parent`. `told`: the queue has said
  // that something came there, or nobody is told what is there.
  virtual void sighted(NodeId node, NodeId parent, std::string_view name, bool told) = 0;
  // `node` is watched but was not found under its name when it was to be listed: it is being moved.
  // `newborn`: its entries are news.
  virtual void unlisted(NodeId node, bool newborn) = 0;
  // `node` was found in a newborn directory, and is not there any more: nobody knows whether it left before
  // it was watched or after. Takes it out of the tree; its events will bring it back, as newborn.
  virtual void slipped_away(NodeId node) = 0;
  // `node` was found in a directory moved in. If its CREATE is still to come, its entries are news all the
  // same.
  virtual void taken_for_old(NodeId node) = 0;
  // True: the unknown directory `name` was moved into `parent`, which is open as `directory`, and what is in
  // it is no news.
  virtual bool is_old(NodeId parent, std::string_view name, int directory) = 0;
  // True: `node`, which stands where it was found, need not be listed with the newborn directory above it:
  // its entries have been reported.
  virtual bool is_told(NodeId node) = 0;
  // True: the watch was to be ended, and has been: what is watched by it is to be watched anew.
  virtual bool was_ended(int watch) = 0;
  // All entries of a newborn directory have been found.
  // It is open as `directory`; -1: it could not be opened.
  virtual void listed(NodeId node, int directory) = 0;
  // `name` in `parent` may not be watched or listed: it will be looked at again when its rights are changed.
  // False: that has been said.
  virtual bool denied(NodeId parent, std::string_view name, bool newborn) = 0;
  // What else a directory is to be watched for.
  virtual EventMask also_asked(NodeId node) const = 0;
  // An entry of a newborn directory.
  virtual void found(NodeId parent, std::string_view name, bool directory) = 0;
  // Not all that is in `node` could be looked at: what is known of it may be so still.
  virtual void half_seen(NodeId node) = 0;
  // The same, for `node` itself could not be opened or entered. True: that is tried again, and it is
  // complained of then.
  virtual bool shut_out(NodeId node) = 0;
  // `name` in `parent` is one too many for the limit of watches. `old`: what is in it is no news.
  virtual void beyond_limit(NodeId parent, std::string_view name, bool old) = 0;
  // `path` could not be watched or listed. ENOENT and the like never come here: what vanished is no failure.
  virtual void failed(Error error) = 0;
};

enum class ScanKind {
  arrival,  // a directory moved in: its entries are old
  birth,    // a directory created under watch: every entry is news
  again,    // a directory whose children could not be found when they were born: unknown ones are newborn
  repair,   // after an overflow: the same, all the way down, and known directories are put where they stand
};

class TreeScanner {
 public:
  // `events`: what every directory is to be watched for.
  TreeScanner(backend::WatchBackend& backend, WatchTree& tree, EventMask events, ScanListener& listener);

  // Events for watching a directory while it is listed.
  EventMask quiet_events() const { return quiet_events_; }

  // Watches everything below `node`, which stands in the tree, is watched for quiet_events() and open as
  // `directory`; at the end it is watched for all events.
  void scan(sys::Fd directory, NodeId node, ScanKind kind);
  // Readable but not searchable: its entries have names and no more. What is in it cannot be watched.
  void list_unsearchable(const sys::Fd& directory, NodeId node, bool newborn);

 private:
  struct Frame {
    NodeId node = no_node;
    sys::Fd directory;
    std::size_t pending_begin = 0;  // its children still to visit are pending_[pending_begin..]
    std::size_t pending_next = 0;
    std::uint64_t device = 0;
    std::uint32_t links = 0;
    bool links_count = false;  // the link count tells the number of subdirectories
    bool newborn = false;      // its entries are reported
    bool old = false;          // nor are those of what is found below
  };
  struct Pending {
    NodeId node = no_node;
    std::uint32_t links = 0;  // its link count, where it counts; 0: not known
    bool visit = false;       // has subdirectories, or may have
    bool newborn = false;
    bool fresh = false;  // was not watched before
    bool quiet = false;  // watched for quiet events, and for no others before
    bool old = false;    // moved in: what is below is old as well
  };

  void push(sys::Fd directory, const Pending& start);
  void list(Frame& frame);
  void entry(Frame& frame, const char* name, unsigned char type, std::uint32_t& subdirectories);
  Pending watch_child(Frame& frame, const char* name);
  bool is_arrival(const Frame& frame, const char* name);
  enum class Child { skip, known, unknown };
  Child settle_child(const Frame& frame, std::string_view name, int watch, NodeId& node);
  bool keep_unseen(NodeId node);
  void leave_unwatched(const Frame& frame, const char* name);
  std::uint32_t link_count(const Frame& frame, const char* name) const;
  void descend(Pending child);
  int silence(NodeId node, const char* name, unsigned flags);
  sys::Fd open_child(const Pending& child, const std::string& name, int& status);
  int enter_top();
  void ask_for_all_events(NodeId node, const char* name);
  void close_above();
  void leave();
  bool reopen(Frame& frame, int child);
  void pass_over_rest(Frame& frame);
  void restore_events(Frame& frame);
  void fail(int status, const char* call, NodeId parent, std::string_view name, bool newborn);

  backend::WatchBackend& backend_;
  WatchTree& tree_;
  EventMask events_;
  EventMask quiet_events_;
  ScanListener& listener_;
  ScanKind kind_ = ScanKind::birth;
  bool limit_said_ = false;  // by this scan
  std::size_t entered_ = 0;  // names are looked up in frames_[entered_ - 1]; 0: not known where
  std::size_t most_open_;    // directories held open at a time
  std::vector<Frame> frames_;
  std::vector<Pending> pending_;
  std::unique_ptr<sys::DirectoryReader> reader_;  // during scan()
};

}  // namespace notify_core::watch
