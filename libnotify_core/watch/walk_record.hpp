// SPDX-License-Identifier: GPL-2.0-or-later
// Keeps what a walk says, to say it again later. Pure data.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "watch/walk_sink.hpp"

namespace notify_core::watch {

class WalkRecord final : public WalkSink {
 public:
  // Watches up to `last_known` were there before the walk; the kernel gives new ones higher numbers.
  explicit WalkRecord(int last_known) : last_known_(last_known) {}

  bool begin(std::string_view name, int watch) override;
  void end(bool leaf) override { steps_ += leaf ? 'l' : 'e'; }
  void missed(int watch) override;
  void failed(Error error) override;

  int last_known() const { return last_known_; }
  // Says all of it to `sink`. What that knows already is passed over, with all that is in it.
  void replay(WalkSink& sink) const;

 private:
  void put(int number);
  int take_number(std::size_t& at) const;
  std::string_view take_name(std::size_t& at) const;

  int last_known_;
  // A letter a step, and what belongs to it: (b)egin and the same of one that was (k)nown, with the watch and
  // the name after its length; (e)nd, and that of a (l)eaf; (m)issed, with the watch; (f)ailed.
  std::string steps_;
  std::vector<Error> errors_;  // of the steps that failed, in order
};

}  // namespace notify_core::watch
