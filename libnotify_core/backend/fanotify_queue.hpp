// SPDX-License-Identifier: GPL-2.0-or-later
// The kernel's queue of a fanotify group: read in large pieces, decoded in place, and read ahead where what
// comes later must be known first.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "backend/fanotify_decoder.hpp"
#include "backend/fanotify_foresight.hpp"
#include "sys/fd.hpp"

namespace notify_core::backend {

class FanotifyQueue {
 public:
  explicit FanotifyQueue(sys::Fd fanotify) : fanotify_(std::move(fanotify)) {}

  int descriptor() const { return fanotify_.get(); }

  // Begins a batch: forgets the last one, and reads. The number of bytes, or minus the errno.
  std::ptrdiff_t fill();
  // The next record of the batch; what it views stays until the next fill().
  bool next(FanotifyEvent& event);
  // The number in the batch of the record that next() gave last, from 0.
  std::size_t position() const { return position_ - 1; }
  // True where the last read took all that was queued at that moment.
  bool drained() const { return drained_; }

  // Adds to the batch what has been queued since. False: nothing, or more is held than is good, or an
  // overflow is to come.
  bool read_on();
  // What the batch says from here on.
  FanotifyForesight& foresight();

 private:
  static constexpr std::size_t chunk_size = std::size_t{4} << 20;
  static constexpr std::size_t most_chunks = 64;
  static constexpr std::size_t least_room = std::size_t{64} << 10;
  // Two names and three handles of the longest, with their headers.
  static constexpr std::size_t longest_record = 2048;

  std::ptrdiff_t read_piece();

  sys::Fd fanotify_;
  std::vector<std::unique_ptr<std::byte[]>> chunks_;
  std::size_t used_ = chunk_size;  // bytes of the last chunk
  std::vector<std::span<const std::byte>> pieces_;
  std::size_t decoded_ = 0;  // pieces that are, or are being
  std::size_t foreseen_ = 0;
  FanotifyDecoder decoder_;
  FanotifyForesight foresight_;
  std::size_t position_ = 0;
  bool drained_ = true;
};

}  // namespace notify_core::backend
