// SPDX-License-Identifier: GPL-2.0-or-later
#include "inotifysync/report/log.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <syslog.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <utility>

#include "common/diagnostics.hpp"
#include "common/visible.hpp"
#include "sys/syscall.hpp"

namespace inotifysync {
namespace {

namespace sys = notify_core::sys;
using Level = Log::Level;

constexpr std::string_view clear_line = "\r\033[K";
constexpr std::string_view red = "\033[31m", yellow = "\033[33m", plain = "\033[0m";

std::string local_time(const char* format) {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  ::localtime_r(&now, &parts);
  char text[40];
  return std::string(text, std::strftime(text, sizeof text, format, &parts));
}

std::string_view name_of(Level level) {
  switch (level) {
    case Level::error:
      return "error";
    case Level::warning:
      return "warning";
    case Level::info:
      return "info";
    case Level::debug:
      return "debug";
  }
  return "";
}

int syslog_priority(Level level) {
  switch (level) {
    case Level::error:
      return LOG_ERR;
    case Level::warning:
      return LOG_WARNING;
    case Level::info:
      return LOG_INFO;
    case Level::debug:
      return LOG_DEBUG;
  }
  return LOG_INFO;
}

std::string json_start(Level level, std::string_view about, std::string_view text) {
  return fmt::format(R"({{"time":{},"level":"{}","about":{},"message":{})",
                     json_string(local_time("%Y-%m-%dT%H:%M:%S%z")), name_of(level), json_string(about),
                     json_string(text));
}

constexpr std::size_t most_words = 16;  // of one target, that are told apart

// rsync names the file that it writes first: "DIRECTORY/.NAME.XXXXXX".
std::string without_temporary_names(std::string_view words) {
  std::string kept;
  for (std::size_t at = 0; at < words.size(); ++at) {
    const bool is_end = words[at] == '.' && at + 7 < words.size() && words[at + 7] == '"' &&
                        words.substr(at + 1, 6).find_first_of("./ \"") == std::string_view::npos;
    if (is_end)
      at += 6;
    else
      kept += words[at];
  }
  return kept;
}

// A named pipe is not waited for, nor does it matter when its reader comes.
int open_log(const std::string& path) {
  constexpr int flags = O_CREAT | O_APPEND | O_NONBLOCK;
  const int fd = sys::open_at(AT_FDCWD, path.c_str(), O_WRONLY | flags, 0640);
  return fd == -ENXIO ? sys::open_at(AT_FDCWD, path.c_str(), O_RDWR | flags, 0640) : fd;
}

}  // namespace

notify_core::Result<Log> Log::create(Style style) {
  Log log(std::move(style));
  log.colours_ = !log.style_.json && log.style_.file.empty() && notify_tools::wants_colours();
  log.on_terminal_ = ::isatty(STDERR_FILENO) == 1 && !log.style_.json && !log.style_.syslog &&
                     log.style_.file.empty() && log.style_.verbosity >= 0;
  if (log.style_.file.empty()) return log;
  log.file_.reset(open_log(log.style_.file));
  if (!log.file_) return sys::error(log.file_.get(), "open", log.style_.file);
  log.to_file_ = PatientStream(log.file_.get());
  return log;
}

notify_core::Result<void> Log::change(Style style) {
  auto other = create(std::move(style));
  if (!other) return other.error();
  progress("");
  to_file_.flush();
  *this = std::move(*other);
  return {};
}

void Log::write_kept() const {
  out_.write_kept();
  errors_.write_kept();
  to_file_.write_kept();
}

void Log::standard_streams_changed() {
  out_.flush();
  errors_.flush();
  out_ = PatientStream(STDOUT_FILENO);
  errors_ = PatientStream(STDERR_FILENO);
}

void Log::progress(std::string_view text) {
  std::string line = notify_tools::visible(text);
  if (!on_terminal_ || line == progress_ || errors_.waits()) return;
  progress_ = std::move(line);
  errors_.write(std::string(clear_line) + progress_);
}

bool Log::shows(Level level) const {
  if (level == Level::debug) return style_.verbosity > 0;
  return level != Level::info || style_.verbosity >= 0;
}

std::string Log::coloured(Level level, const std::string& line) const {
  if (!colours_ || level > Level::warning) return line;
  return fmt::format("{}{}{}", level == Level::error ? red : yellow, line, plain);
}

void Log::write(Level level, const std::string& line) const {
  const bool over_progress = !progress_.empty() && !errors_.waits();
  if (over_progress) errors_.write(clear_line);
  // A line that cannot be written is lost; that of a file is told of once, to who may be there.
  const std::string whole = coloured(level, line) + "\n";
  if (!file_) {
    (level <= Level::warning ? errors_ : out_).write(whole);
  } else if (const int status = to_file_.write(whole); status < 0 && !std::exchange(told_loss_, true)) {
    errors_.write(
        fmt::format("inotifysync: {} cannot be written: {}\n", style_.file, std::strerror(-status)));
  }
  if (over_progress) errors_.write(progress_);
}

void Log::line(Level level, std::string_view about, std::string_view text) const {
  if (!shows(level)) return;
  // A name with a newline in it must not be able to write a line of its own.
  const std::string words =
      notify_tools::visible(about.empty() ? std::string(text) : fmt::format("{} {}", about, text));
  if (style_.syslog) ::syslog(LOG_DAEMON | syslog_priority(level), "%s", words.c_str());
  if (style_.syslog && !file_) return;
  if (style_.json) return write(level, json_start(level, about, text) + "}");
  write(level, fmt::format("{} {}", local_time("%H:%M:%S"), words));
}

void Log::batch(const BatchReport& report, bool full_pass) const {
  const std::string words = batch_line(report);
  const char* const state = report.partial
                                ? (report.again ? "in part, the rest is tried again: " : "in part: ")
                            : !full_pass       ? ""
                            : report.undeleted ? "all but deletions: "
                                               : "in step: ";
  const std::string said = state + words.substr(report.target.size() + 1);
  if (!style_.json || !shows(Level::info)) return line(Level::info, report.target, said);
  write(Level::info,
        json_start(Level::info, report.target, said) +
            fmt::format(R"(,"full_pass":{},"files":{},"deleted":{},"bytes":{},"seconds":{:.3f}}})", full_pass,
                        report.files, report.deleted, report.bytes, report.seconds));
}

bool RepeatLimit::worth_saying(const std::string& about, std::string_view words, Time now) {
  using namespace std::chrono_literals;
  std::vector<Said>& all = said_[about];
  const std::string gist = without_temporary_names(words);
  auto said = std::find_if(all.begin(), all.end(), [&](const Said& one) { return one.words == gist; });
  if (said == all.end() && all.size() < most_words) {
    all.push_back({gist, now + 10s, 10s});
    return true;
  }
  if (said == all.end()) --said;  // the last one stands for all others
  if (now < said->next) return false;
  said->pause = std::min<std::chrono::seconds>(said->pause * 2, 1h);
  said->next = now + said->pause;
  return true;
}

}  // namespace inotifysync
