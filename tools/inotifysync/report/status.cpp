// SPDX-License-Identifier: GPL-2.0-or-later
#include "inotifysync/report/status.hpp"

#include <fmt/format.h>

#include <iterator>

namespace inotifysync {
namespace {

// The length of the UTF-8 sequence at the front of `text`; 0: it is none.
std::size_t utf8_length(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  if (lead < 0x80) return 1;
  const std::size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc2 ? 2 : 0;
  if (length == 0 || lead > 0xf4 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((static_cast<unsigned char>(text[i]) & 0xc0) != 0x80) return 0;
  }
  const auto second = static_cast<unsigned char>(text[1]);
  const bool overlong = (lead == 0xe0 && second < 0xa0) || (lead == 0xf0 && second < 0x90);
  const bool surrogate = lead == 0xed && second >= 0xa0;
  const bool beyond = lead == 0xf4 && second >= 0x90;
  return overlong || surrogate || beyond ? 0 : length;
}

// Writes "key": value pairs between braces, with the commas where they belong.
class Object {
 public:
  explicit Object(std::string& out) : out_(out) { out_ += '{'; }
  void end() { out_ += '}'; }

  void text(std::string_view name, std::string_view value) { key(name) += json_string(value); }
  void number(std::string_view name, std::uint64_t value) {
    fmt::format_to(std::back_inserter(key(name)), "{}", value);
  }
  void seconds(std::string_view name, double value) {
    fmt::format_to(std::back_inserter(key(name)), "{:.3f}", value);
  }
  void flag(std::string_view name, bool value) { key(name) += value ? "true" : "false"; }
  void time(std::string_view name, std::optional<std::int64_t> value) {
    key(name) += value ? fmt::format("{}", *value) : "null";
  }
  void seconds(std::string_view name, std::optional<double> value) {
    key(name) += value ? fmt::format("{:.3f}", *value) : "null";
  }
  std::string& key(std::string_view name) {
    if (!first_) out_ += ',';
    first_ = false;
    fmt::format_to(std::back_inserter(out_), "\"{}\":", name);
    return out_;
  }

 private:
  std::string& out_;
  bool first_ = true;
};

void append_target(std::string& out, const TargetStatus& target) {
  Object object(out);
  object.text("name", target.name);
  object.text("target", target.operand);
  object.text("state", target.state);
  object.flag("up_to_date", target.up_to_date);
  object.seconds("lag_seconds", target.lag_seconds);
  object.number("queue", target.queue);
  object.time("last_success", target.last_success);
  object.time("last_error_at", target.last_error_at);
  object.text("last_error", target.last_error);
  object.seconds("next_try_seconds", target.next_try_seconds);
  object.flag("deletes", target.deletes);
  object.number("runs", target.runs);
  object.number("failed_runs", target.failed_runs);
  object.number("files", target.files);
  object.number("deleted", target.deleted);
  object.number("bytes", target.bytes);
  object.end();
}

template <class List, class Append>
void append_list(std::string& out, const List& list, Append append) {
  out += '[';
  bool first = true;
  for (const auto& item : list) {
    if (!first) out += ',';
    first = false;
    append(out, item);
  }
  out += ']';
}

void append_source(std::string& out, const SourceStatus& source) {
  Object object(out);
  object.text("path", source.path);
  object.text("state", source.state);
  object.number("watches", source.watches);
  object.number("events", source.events);
  object.number("overflows", source.overflows);
  object.time("last_audit", source.last_audit);
  append_list(object.key("targets"), source.targets, append_target);
  object.end();
}

std::string counted(std::uint64_t count, std::string_view one, std::string_view many) {
  return fmt::format("{} {}", count, count == 1 ? one : many);
}

}  // namespace

std::string json_string(std::string_view text) {
  std::string out = "\"";
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    const char c = text.front();
    if (length == 0) {
      out += "\xef\xbf\xbd";
    } else if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned>(c));
    } else {
      out += text.substr(0, length);
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return out += '"';
}

std::string status_json(const Status& status) {
  std::string out;
  Object object(out);
  object.text("program", "inotifysync");
  object.text("version", status.version);
  object.number("pid", static_cast<std::uint64_t>(status.pid));
  object.time("time", status.time);
  object.seconds("uptime_seconds", status.uptime_seconds);
  append_list(object.key("sources"), status.sources, append_source);
  object.end();
  return out += '\n';
}

std::string human_bytes(std::uint64_t bytes) {
  if (bytes < 1000) return fmt::format("{} B", bytes);
  static constexpr const char* units[] = {"kB", "MB", "GB", "TB", "PB", "EB"};
  double value = static_cast<double>(bytes) / 1000;
  std::size_t unit = 0;
  for (; value >= 999.95 && unit + 1 < std::size(units); ++unit) value /= 1000;
  return fmt::format("{:.1f} {}", value, units[unit]);
}

std::string progress_line(const Status& status, std::size_t width) {
  std::string line;
  bool any_under_way = false;
  for (const SourceStatus& source : status.sources)
    for (const TargetStatus& target : source.targets) {
      const bool under_way = target.state == "starting";
      any_under_way = any_under_way || under_way;
      line += fmt::format("{}{} {}", line.empty() ? "" : "  ", target.name,
                          under_way           ? fmt::format("{} files", target.under_way)
                          : target.up_to_date ? "in step"
                                              : target.state);
    }
  if (!any_under_way) return {};
  if (line.size() > width) line.resize(width);
  return line;
}

std::string state_line(const TargetStatus& target) {
  return fmt::format("{}{}, lag {:.1f} s, {} paths to go, {} runs, {} failed, {} files, {} deleted, {}{}{}",
                     target.state, target.up_to_date || target.state != "idle" ? "" : " but not up to date",
                     target.lag_seconds, target.queue, target.runs, target.failed_runs, target.files,
                     target.deleted, human_bytes(target.bytes),
                     target.last_error.empty() ? "" : ", last error: ", target.last_error);
}

std::string batch_line(const BatchReport& report) {
  std::string line = report.target + " " + counted(report.files, "file", "files");
  if (report.deleted) line += fmt::format(", {} deleted", report.deleted);
  return line + fmt::format(", {} in {:.2f} s", human_bytes(report.bytes), report.seconds);
}

}  // namespace inotifysync
