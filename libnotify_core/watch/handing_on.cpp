// SPDX-License-Identifier: GPL-2.0-or-later
// What is handed on beside the events themselves, and otherwise than at once: what is recovered, what the
// sink had no ear for, notices, and what fanotify adds. None of it is on the way of a single event.
#include <string>
#include <utility>
#include <vector>

#include "notify_core/watcher.hpp"
#include "watch/watcher_impl.hpp"

namespace notify_core {

void Watcher::Impl::recover_before(watch::NodeId node, const backend::Record& record, bool& wanted) {
  due_.clear();
  wanted = recovery_.heard(node, record.name, record.mask, due_) == watch::Recovery::Verdict::report;
  report_found(due_);
}

void Watcher::Impl::tell_lost() {
  lost_ += backend_->take_lost();
  if (lost_ == 0) return;
  sink_->on_notice(Notice{Notice::Kind::events_lost, {}, 0, nullptr, std::exchange(lost_, 0)});
}

// fanotify also tells what happens in directories just below a watched one.
void Watcher::Impl::report_elsewhere(const backend::Record& record) {
  if (!asked_or_vital(record.mask)) return;
  Event event;
  event.mask = record.mask;
  event.watched = record.directory;
  event.name = record.name;
  event.pid = record.pid;
  const watch::NodeId node = tree_.by_watch(record.watch);
  if (node != watch::no_node) event.watch = tree_.order(node);
  hand_on(event);
}

// False where nobody wants to hear of what it does.
bool Watcher::Impl::name_program(Event& event) {
  if (processes_.ignores(event.pid)) return false;
  if (options_.name_programs) event.program = processes_.name(event.pid);
  return true;
}

// One record may make several events, and the sink may stop at the first.
void Watcher::Impl::keep(const Event& event) {
  kept_.push_back({event, std::string(event.watched), std::string(event.name)});
}

void Watcher::Impl::hand_on_kept() {
  for (; !stopped_ && !kept_.empty(); kept_.pop_front()) {
    Kept& kept = kept_.front();
    kept.event.watched = kept.watched;
    kept.event.name = kept.name;
    if (kept.event.pid != 0 && !name_program(kept.event)) continue;
    stopped_ = !sink_->on_event(kept.event);
  }
  if (!stopped_) sink_->on_batch_end();
}

// As fanotify has it: a file is an entry of its directory, but what is told of it alone (its end, its move, a
// change of its links) is said of it as it was named.
void Watcher::Impl::place_file(watch::NodeId node, Event& event) const {
  if (event.name.empty()) return;
  const auto place = file_places_.find(node);
  if (place == file_places_.end()) return;
  const std::string_view path = place->second;
  const std::size_t name = path.rfind('/') + 1;
  event.watched = path.substr(0, name);
  event.name = path.substr(name);
}

void Watcher::Impl::report_found(const std::vector<watch::Found>& found) {
  for (const watch::Found& entry : found) {
    const watch::NodeId node = tree_.by_watch(entry.watch);
    if (node == watch::no_node) continue;
    if (!untold_.empty()) untold_.tell(entry.watch, entry.name);
    report(node, mask::create | (entry.directory ? mask::is_directory : 0), 0, entry.name, 0, true);
  }
}

void Watcher::Impl::notice(Notice::Kind kind, std::string_view path, std::uint32_t watch,
                           const Error* error) {
  if (sink_ != nullptr) sink_->on_notice(Notice{kind, path, watch, error});
}

}  // namespace notify_core
