// SPDX-License-Identifier: GPL-2.0-or-later
#include "inotifysync/source_sync.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include "common/diagnostics.hpp"
#include "inotifysync/loop/mounts.hpp"
#include "inotifysync/loop/pattern_files.hpp"
#include "inotifysync/loop/system.hpp"

namespace inotifysync {
namespace {

using namespace std::chrono_literals;

constexpr Duration default_settle = 2s, audit_when_incomplete = 60s;

// True where a list holds names that are to be deleted.
bool takes_away(const Batch& batch) {
  const auto is_missing = [](const Step::Entry& entry) { return entry.missing; };
  return std::any_of(batch.steps.begin(), batch.steps.end(), [&](const Step& step) {
    return std::any_of(step.entries.begin(), step.entries.end(), is_missing);
  });
}

Settling::Limits limits_of(const SourceConfig& config) {
  return {.settle = config.settle > Milliseconds::zero() ? Duration(config.settle) : default_settle,
          .max_delay = config.max_delay};
}

}  // namespace

// --- Life ---

Result<std::unique_ptr<SourceSync>> SourceSync::create(const SourceConfig& config, Surroundings& around) {
  auto root = real_path(config.path);
  if (!root) return root.error();
  if (const auto directory = check_source(*root, config.path); !directory) return directory.error();
  auto patterns = read_patterns(config.filters);
  if (!patterns) return patterns.error();
  std::string entrance = absolute_path(config.path);
  if (entrance == *root) entrance.clear();
  return std::unique_ptr<SourceSync>(
      new SourceSync(config, around, std::move(*root), std::move(entrance), std::move(*patterns)));
}

SourceSync::SourceSync(const SourceConfig& config, Surroundings& around, std::string root,
                       std::string entrance, PatternList patterns)
    : config_(config),
      around_(around),
      root_(root == "/" ? "" : std::move(root)),
      entrance_(std::move(entrance)),
      patterns_(std::move(patterns)),
      view_(root_),
      intake_(view_, patterns_, limits_of(config)),
      views_(config.targets.size()),
      guard_(look_at_source(root_ + "/")),
      mount_guard_(mounts_below(mount_table(), root_)),
      chance_(static_cast<std::minstd_rand::result_type>(Clock::now().time_since_epoch().count())) {
  tick_timer_ = around_.loop.timer([this] { tick(); });
  links_timer_ = around_.loop.timer([this] { look_at_links(); });
  guard_timer_ = around_.loop.timer([this] { look_for_source(); });
  audit_timer_ = around_.loop.timer([this] { audit(); });
  mounts_timer_ = around_.loop.timer([this] { mounts_changed(); });
  path_timer_ = around_.loop.timer([this] { look_where_path_leads(); });
  emptied_timer_ = around_.loop.timer([this] {
    for (const auto& worker : workers_) worker->changed();
  });
  if (config_.max_delete.unit == DeleteLimit::Unit::count) most_deletions_ = config_.max_delete.value;
  if (config_.max_delete.unit == DeleteLimit::Unit::percent) {
    most_deletions_ = std::max<std::uint64_t>(1, view_.count_names() * config_.max_delete.value / 100);
  }
  for (std::size_t i = 0; i < config_.targets.size(); ++i) add_worker(config_.targets[i], i);
}

SourceSync::~SourceSync() {
  unwatch();
  if (mount_table_) around_.loop.remove(mount_table_.get());
  for (const auto& worker : workers_) worker->stop();  // so that a place left by one starts no other
  for (const auto& worker : workers_) around_.places.forget(*worker);
}

void SourceSync::add_worker(const Target& target, std::size_t view) {
  workers_.emplace_back(new TargetWorker(target, options_for(target), views_, view, *this));
}

void SourceSync::remove_worker(const TargetWorker& worker) {
  const auto found =
      std::find_if(workers_.begin(), workers_.end(), [&](const auto& one) { return one.get() == &worker; });
  (*found)->stop();
  around_.places.forget(**found);
  views_.remove_target(worker.view());
  workers_.erase(found);
}

bool SourceSync::reload(const SourceConfig& config) {
  const auto watched = [](SourceConfig one) {
    one.targets.clear();
    one.audit_interval = {};
    return one;
  };
  if (watched(config) != watched(config_)) return false;
  config_ = config;
  const std::vector<std::unique_ptr<TargetWorker>>& workers = workers_;
  for (std::size_t i = workers.size(); i-- > 0;)
    if (std::find(config_.targets.begin(), config_.targets.end(), workers[i]->target()) ==
        config_.targets.end())
      remove_worker(*workers[i]);
  for (const Target& target : config_.targets) {
    const auto is_kept = [&](const auto& worker) { return worker->target() == target; };
    if (std::any_of(workers.begin(), workers.end(), is_kept)) continue;
    add_worker(target, views_.add_target());
    workers.back()->want_full_pass();
  }
  for (const auto& worker : workers_) worker->use_program(around_.rsync_program);
  retry_now();
  return true;
}

WorkerOptions SourceSync::options_for(const Target& target) const {
  WorkerOptions options;
  options.rsync.program = around_.rsync_program;
  options.rsync.source = root_.empty() ? "/" : root_;
  options.rsync.directory = absolute_path(".");
  options.rsync.filters = patterns_.rsync_options();
  options.rsync.extra = config_.rsync_options;
  options.rsync.control_directory = around_.control_directory;
  options.rsync.password_in_environment = std::getenv("RSYNC_PASSWORD") != nullptr;
  if (target.remove.value_or(config_.remove)) options.deletion = Deletion::missing_args;
  if (most_deletions_) {
    options.max_delete = most_deletions_;
    options.rsync.max_delete = most_deletions_;
  }
  options.warm_deletes = !path_for_children(open_source(root_ + "/")).empty();
  options.warm = target.warm.value_or(true) && !around_.once;
  options.timeout = config_.timeout;
  options.once = around_.once;
  options.looks_again = config_.initial_sync && !around_.once;
  options.own_options = !config_.rsync_options.empty() || !target.rsync_options.empty();
  options.names_all = patterns_.empty() && !options.own_options;
  return options;
}

void SourceSync::start() {
  watch_mounts();
  look_where_path_leads();
  if (config_.initial_sync) {
    full_pass();
  } else {
    for (const auto& worker : workers_) {
      worker->skip_first_pass();
      worker->changed();
    }
  }
  if (!around_.once) view_.look_for_links();
  set_tick();
}

void SourceSync::full_pass() {
  last_audit_ = wall_clock();
  Duration interval = config_.audit_interval;
  if (incomplete_)
    interval =
        interval > Duration::zero() ? std::min(interval, audit_when_incomplete) : audit_when_incomplete;
  if (interval > Duration::zero() && !around_.once) audit_timer_->set(interval);
  for (const auto& worker : workers_) worker->want_full_pass();
}

// A limit may have been raised, or others may need less by now. It takes reading the whole tree.
void SourceSync::audit() {
  const auto now = Clock::now();
  if (!unwatched_) {
    watch_again_at_.reset();
  } else if (!watch_again_at_) {
    watch_again_after_ = audit_when_incomplete;
    watch_again_at_ = now + watch_again_after_;
  } else if (now >= *watch_again_at_) {
    watch_again();
    watch_again_after_ = std::min<Duration>(watch_again_after_ * 2, 1h);
    watch_again_at_ = now + watch_again_after_;
  }
  full_pass();
}

void SourceSync::retry_now() {
  const bool may_watch = unwatched_ && !lost_;
  if (may_watch) watch_again();
  if (mount_guard_.forget() || may_watch) full_pass();
  for (const auto& worker : workers_) worker->retry_now();
}

void SourceSync::stop() {
  stopping_ = true;
  guard_timer_->cancel();
  path_timer_->cancel();
  audit_timer_->cancel();
  mounts_timer_->cancel();
  for (const auto& worker : workers_) worker->stop();
}

void SourceSync::abort(Duration grace) {
  for (const auto& worker : workers_) worker->abort(grace);
}

bool SourceSync::at_rest() const {
  return std::all_of(workers_.begin(), workers_.end(), [](const auto& worker) { return worker->at_rest(); });
}

bool SourceSync::has_done_all() const {
  return std::all_of(workers_.begin(), workers_.end(),
                     [](const auto& worker) { return worker->has_done_all(); });
}

bool SourceSync::has_deleted_all() const {
  return std::all_of(workers_.begin(), workers_.end(),
                     [](const auto& worker) { return worker->undeleted().empty(); });
}

bool SourceSync::only_trouble_left() const {
  return std::all_of(workers_.begin(), workers_.end(), [](const auto& worker) {
    const auto state = worker->state();
    return worker->has_done_all() || state == TargetWorker::State::waiting ||
           state == TargetWorker::State::held;
  });
}

bool SourceSync::any_failed() const {
  return std::any_of(workers_.begin(), workers_.end(),
                     [](const auto& worker) { return worker->full_pass_failed(); });
}

void SourceSync::tell_the_rest() const {
  for (const auto& worker : workers_) {
    const TargetStatus status = worker->status();
    if (worker->has_done_all() && around_.once && !worker->undeleted().empty())
      around_.log.line(Log::Level::warning, status.name,
                       "is not the same as the source: " + std::string(worker->undeleted()));
    else if (!status.up_to_date)
      around_.log.line(Log::Level::warning, status.name,
                       fmt::format("not up to date: {}{}{}",
                                   status.queue != 0             ? fmt::format("{} paths to go", status.queue)
                                   : worker->undeleted().empty() ? "everything is to be compared"
                                                                 : worker->undeleted(),
                                   status.last_error.empty() ? "" : ", last error: ", status.last_error));
  }
}

// --- What the workers ask and tell ---

// Short lists are for the waiting connection, which needs names that start at "/". True where these lead
// through the open `source`.
bool SourceSync::set_way_to_source(PlanOptions& options, const notify_core::sys::Fd& source,
                                   std::size_t changes) const {
  if (changes >= Pace::long_list) return false;
  options.source = path_for_children(source);
  if (!options.source.empty()) return true;
  options.source = root_.empty() ? "/" : root_;
  return false;
}

std::shared_ptr<const Batch> SourceSync::plan(const std::shared_ptr<const ChangeSet>& changes,
                                              Deletion deletion, bool links) {
  if (planned_.batch && planned_.changes == changes && planned_.deletion == deletion &&
      planned_.links == links) {
    tree_reads_.begin(planned_.batch->trees);
    return planned_.batch;
  }
  view_.begin_plan();
  PlanOptions options;
  options.limited = config_.max_delete.unit != DeleteLimit::Unit::none;
  options.deletion = deletion;
  options.links = links;
  options.patterns = &patterns_;
  options.is_kept_back = [this](std::string_view path) { return intake_.keeps_back(path); };
  const auto source = std::make_shared<notify_core::sys::Fd>(trusted_source());
  // The runs go by the open source, and so has the plan to: what is missing from another that stands at its
  // path for a moment would be listed by its topmost name alone, and all below count as delivered.
  if (*source) view_.look_through(source->get());
  const bool open = set_way_to_source(options, *source, changes->size());
  auto batch = std::make_shared<Batch>(plan_batch(*changes, view_, options));
  if (open) batch->kept_open = source;
  if (!open && takes_away(*batch) && !options.source.empty()) {
    options.source.clear();  // deletions go by the open source, not by its path
    *batch = plan_batch(*changes, view_, options);
  }
  view_.look_by_path();
  planned_ = {changes, deletion, links, std::move(batch)};
  tree_reads_.begin(planned_.batch->trees);
  return planned_.batch;
}

std::unique_ptr<TargetLook> SourceSync::look_at(const Target& target) {
  if (target.kind != Target::Kind::local) return nullptr;
  SourceConfig alone;
  alone.path = config_.path;
  alone.targets = {target};
  return target_look(around_.loop, std::move(alone));
}

// A directory in /run/user goes when the user logs out, one in /tmp when somebody tidies up there.
std::string SourceSync::control_directory() {
  std::string& directory = around_.control_directory;
  if (is_private_directory(directory)) return directory;
  auto made = make_private_directory();
  directory = made ? std::move(*made) : std::string();
  return directory;
}

// Who is connected stays so: a socket is for those who come.
void SourceSync::leave_connections() {
  if (!around_.control_directory.empty()) remove_directory(std::exchange(around_.control_directory, {}));
}

double SourceSync::chance() {
  return std::uniform_real_distribution<double>(0, 1)(chance_);
}

void SourceSync::on_delivered(const BatchReport& report, bool full_pass) {
  // What fails for ever is tried for ever, and fills no log with that.
  if (report.partial && !repeats_.worth_saying(report.target + " in part", "", Clock::now())) return;
  if (!report.partial) {
    repeats_.forget(report.target);
    repeats_.forget(report.target + " in part");
  }
  if (full_pass || report.files + report.deleted + report.bytes > 0) around_.log.batch(report, full_pass);
}

void SourceSync::on_trouble(const std::string& target, const std::string& words,
                            std::optional<Duration> again) {
  const auto level =
      repeats_.worth_saying(target, words, Clock::now()) ? Log::Level::warning : Log::Level::debug;
  around_.log.line(level, target,
                   again && !around_.once ? fmt::format("{}; again in {:.1f} s", words,
                                                        std::chrono::duration<double>(*again).count())
                                          : words);
}

void SourceSync::on_recovered(const std::string& target) {
  repeats_.forget(target);
  around_.log.line(Log::Level::info, target, "reachable again");
}

void SourceSync::on_state(TargetWorker&) {
  if (planned_.batch.use_count() == 1) planned_ = {};  // nobody has it any more, and it may be large
  around_.state_changed();
}

SourceStatus SourceSync::status() const {
  SourceStatus status;
  status.path = config_.path;
  status.state = !lost_ ? (watcher_ ? "watching" : "unwatched")
                        : (verdict_ == SourceVerdict::replaced ? "replaced" : "missing");
  if (lost_) status.trouble = words(verdict_);
  status.watches = watcher_ ? watcher_->watch_count() : 0;
  status.events = events_;
  status.overflows = overflows_;
  status.last_audit = last_audit_;
  for (const auto& worker : workers_) {
    status.targets.push_back(worker->status());
    // Nobody knows what has happened since; or it is known, and not due yet.
    if (lost_ || !watcher_ || intake_.kept_back() > 0) status.targets.back().up_to_date = false;
  }
  return status;
}

std::vector<std::string> SourceSync::dry_run() const {
  std::vector<std::string> lines;
  for (const Target& target : config_.targets) {
    WorkerOptions options = options_for(target);
    options.rsync.directory.clear();  // as the user wrote it
    PlanOptions plan_options;
    plan_options.deletion = options.deletion;
    lines.push_back(
        shell_quoted(rsync_command(options.rsync, target, full_step(plan_options), options.deletion)));
  }
  return lines;
}

}  // namespace inotifysync
