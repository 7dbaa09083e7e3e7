// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

#include "backend/backend.hpp"
#include "backend/inotify_decoder.hpp"
#include "notify_core/error.hpp"
#include "sys/fd.hpp"

namespace notify_core::backend {

class InotifyPlacer final : public WatchPlacer {
 public:
  // `inotify`: the descriptor, which stays its owner's.
  explicit InotifyPlacer(int inotify) : inotify_(inotify) {}

  int enter(int directory) override;
  int add(const char* name, EventMask events, unsigned flags) override;
  bool keeps_place() const override { return in_working_directory_; }
  void use_working_directory(bool use) override { in_working_directory_ = use; }
  const char* adding_call() const override { return "inotify_add_watch"; }

 private:
  int inotify_;
  int directory_ = -1;
  bool in_working_directory_ = false;
};

class InotifyBackend final : public WatchBackend {
 public:
  static Result<std::unique_ptr<WatchBackend>> create();

  int descriptor() const override { return inotify_.get(); }
  int enter(int directory) override { return placer_.enter(directory); }
  int add(const char* name, EventMask events, unsigned flags) override {
    return placer_.add(name, events, flags);
  }
  int add_path(const char* path, EventMask events, unsigned flags) override;
  int remove(int watch) override;
  bool keeps_place() const override { return placer_.keeps_place(); }
  void use_working_directory(bool use) override { placer_.use_working_directory(use); }
  std::unique_ptr<WatchPlacer> another_placer() override;
  bool has_queued() const override;
  std::ptrdiff_t fill() override;
  std::ptrdiff_t fill_when_ready() override;
  bool can_rest_in_read() const override { return true; }
  [[gnu::hot]] bool next(Record& record) override { return decoder_.next(record); }
  void visit_unread(const std::function<bool(const Record&)>& visit) override;
  bool read_on() override;
  std::uint64_t reads() const override { return reads_; }
  [[gnu::hot]] bool drained() const override { return drained_; }
  std::size_t queue_limit() const override { return queue_limit_; }
  std::vector<int> ended(const std::vector<int>& watches) const override;
  const char* adding_call() const override { return placer_.adding_call(); }

 private:
  InotifyBackend(sys::Fd inotify, std::size_t queue_limit);

  std::ptrdiff_t fill_buffer(bool waiting, std::size_t from = 0);

  // A full queue of 16,384 short names is 512 KiB; 1 MiB takes it in one read.
  static constexpr std::size_t buffer_size = std::size_t{1} << 20;
  // The longest record: a header and a name of NAME_MAX bytes with its padding.
  static constexpr std::size_t longest_record = 16 + 256;

  sys::Fd inotify_;
  std::size_t queue_limit_;
  std::unique_ptr<std::byte[]> buffer_;
  InotifyDecoder decoder_;
  bool drained_ = true;
  std::uint64_t reads_ = 0;
  bool reads_wait_ = false;  // what the descriptor is set to
  InotifyPlacer placer_;
};

}  // namespace notify_core::backend
