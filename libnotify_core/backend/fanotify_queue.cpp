// SPDX-License-Identifier: GPL-2.0-or-later
#include "backend/fanotify_queue.hpp"

#include "sys/syscall.hpp"

namespace notify_core::backend {

std::ptrdiff_t FanotifyQueue::fill() {
  if (chunks_.size() > 1) chunks_.resize(1);
  if (!chunks_.empty()) used_ = 0;
  pieces_.clear();
  decoded_ = position_ = 0;
  decoder_ = {};
  if (foreseen_ != 0) foresight_.clear();
  foreseen_ = 0;
  drained_ = true;
  return read_piece();
}

std::ptrdiff_t FanotifyQueue::read_piece() {
  if (chunk_size - used_ < least_room) {
    chunks_.push_back(std::make_unique_for_overwrite<std::byte[]>(chunk_size));
    used_ = 0;
  }
  const std::size_t room = chunk_size - used_;
  std::byte* start = chunks_.back().get() + used_;
  const std::ptrdiff_t size = sys::read(fanotify_.get(), start, room);
  drained_ = size < static_cast<std::ptrdiff_t>(room - longest_record);
  if (size <= 0) return size;
  used_ += static_cast<std::size_t>(size);
  pieces_.emplace_back(start, static_cast<std::size_t>(size));
  return size;
}

bool FanotifyQueue::next(FanotifyEvent& event) {
  while (!decoder_.next(event)) {
    if (decoded_ == pieces_.size()) return false;
    decoder_ = FanotifyDecoder(pieces_[decoded_++]);
  }
  ++position_;
  return true;
}

// What is looked for before an overflow is among what was dropped, if it has not been read; and all that is
// known of the tree is going to be forgotten there. To read on would take for ever where others are busy.
bool FanotifyQueue::read_on() {
  if (foresight().overflows(position_)) return false;
  return chunks_.size() < most_chunks && read_piece() > 0;
}

FanotifyForesight& FanotifyQueue::foresight() {
  while (foreseen_ < pieces_.size()) foresight_.take_in(pieces_[foreseen_++]);
  return foresight_;
}

}  // namespace notify_core::backend
