// SPDX-License-Identifier: GPL-2.0-or-later
#include "notify_core/format.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>
#include <vector>

#include "text/csv.hpp"
#include "text/event_time.hpp"
#include "text/json.hpp"
#include "text/labels.hpp"

namespace notify_core {
namespace {

enum class What : std::uint8_t { nothing, view, events, time, cookie, process };

struct Step {
  What what;
  std::uint8_t labels = 0;                  // of events: which of the label lists
  std::uint32_t text_size = 0;              // of what follows; all of these texts are one
  std::string_view Event::*view = nullptr;  // of a view
};

[[gnu::noinline]] void append_hex(std::string& out, std::uint32_t number) {
  char digits[8];
  const auto end = std::to_chars(digits, digits + sizeof digits, number, 16);
  out.append(digits, end.ptr);
}

[[gnu::noinline]] void append_decimal(std::string& out, std::uint32_t number) {
  char digits[10];
  out.append(digits, std::to_chars(digits, digits + sizeof digits, number).ptr);
}

}  // namespace

class Format::Impl {
 public:
  enum class Style { steps, csv, json };

  explicit Impl(Style style, std::string_view ending = {})
      : style_(style), ending_(ending), time_("%Y-%m-%dT%H:%M:%S.%NZ", text::EventTime::Zone::utc) {}

  void compile(std::string_view format, std::string_view time_format, std::string_view ending, Moves moves,
               Processes processes) {
    moves_ = moves == Moves::joined;
    processes_ = processes == Processes::known;
    time_ = text::EventTime(time_format, text::EventTime::Zone::local);
    silent_ = false;
    // What is looked at for every event is put side by side in memory, as well as that can be had.
    steps_.reserve(static_cast<std::size_t>(std::ranges::count(format, '%')) + 1);
    while (!format.empty()) format.remove_prefix(take(format, ending.empty()));
    add_literal(ending);
  }

  // Whether nothing but names, which may be empty, makes up a line.
  bool may_be_empty() const {
    return !silent_ && std::ranges::all_of(steps_, [](const Step& step) {
      return step.text_size == 0 &&
             (step.what == What::view || step.what == What::process || step.what == What::nothing);
    });
  }

  bool names_processes() const {
    return std::ranges::any_of(
        steps_, [](const Step& step) { return step.what == What::process || step.view == &Event::program; });
  }
  bool names_times() const {
    return style_ == Style::json ||
           std::ranges::any_of(steps_, [](const Step& step) { return step.what == What::time; });
  }

  [[gnu::hot]] void append(std::string& out, const Event& event) {
    switch (style_) {
      case Style::steps:
        return append_steps(out, event);
      case Style::csv:
        return append_csv(out, event);
      case Style::json:
        return append_json(out, event);
    }
  }

 private:
  // Turns the beginning of `format` into a step and says how long that beginning was.
  std::size_t take(std::string_view format, bool ends_bare) {
    if (format.front() != '%') {
      const std::size_t size = std::min(format.find('%'), format.size());
      add_literal(format.substr(0, size));
      return size;
    }
    if (format.size() == 1) {
      silent_ = ends_bare;
      add_literal("%");
      return 1;
    }
    switch (format[1]) {
      case 'w':
        return add_view(&Event::watched);
      case 'f':
        return add_view(&Event::name);
      case 'e':
        return add_events(',');
      case 'T':
        return add(What::time);
      case 'c':
        return add(What::cookie);
      case '0':
        return add_character('\0');
      case 'n':
        return add_character('\n');
      case '%':
        return add_character('%');
      case 'o':
        if (moves_) return add_view(&Event::old_path);
        break;
      case 'p':
      case 'P':
        if (!processes_ || (format.size() > 2 && format[2] == 'e')) break;
        return format[1] == 'p' ? add(What::process) : add_view(&Event::program);
      default:
        break;
    }
    if (format.size() > 2 && format[2] == 'e') return add_events(format[1]) + 1;
    add_literal(format.substr(0, 2));
    return 2;
  }

  std::size_t add(What what) {
    steps_.push_back({what});
    return 2;
  }

  std::size_t add_view(std::string_view Event::*view) {
    steps_.push_back({What::view, 0, 0, view});
    return 2;
  }

  std::size_t add_character(char c) {
    add_literal(std::string_view(&c, 1));
    return 2;
  }

  void add_literal(std::string_view text) {
    if (steps_.empty()) steps_.push_back({What::nothing});
    steps_.back().text_size += static_cast<std::uint32_t>(text.size());
    texts_ += text;
  }

  std::size_t add_events(char separator) {
    std::size_t i = 0;
    while (i <= other_labels_.size() && labels(i).separator() != separator) ++i;
    if (i > other_labels_.size()) other_labels_.emplace_back(separator);
    steps_.push_back({What::events, static_cast<std::uint8_t>(i)});
    return 2;
  }

  text::Labels& labels(std::size_t i) { return i == 0 ? labels_ : other_labels_[i - 1]; }

  [[gnu::hot]] void append_steps(std::string& out, const Event& event) {
    if (silent_) return;
    const std::size_t start = out.size();
    const char* text = texts_.data();
    for (const Step& step : steps_) {
      std::string_view words;
      if (step.view != nullptr) {
        words = event.*step.view;
      } else if (step.what == What::events) {
        words = labels(step.labels).of(event.mask);
      } else if (step.what != What::nothing && !append_number(out, step.what, event)) [[unlikely]] {
        return out.resize(start);
      }
      out += words;
      out.append(text, step.text_size);
      text += step.text_size;
    }
  }

  // False where the event is not to be printed.
  [[gnu::noinline]] bool append_number(std::string& out, What what, const Event& event) {
    if (what == What::time) return time_.append(out, event.time);
    if (what == What::cookie) append_hex(out, event.cookie);
    if (what == What::process && event.pid != 0) append_decimal(out, static_cast<std::uint32_t>(event.pid));
    return true;
  }

  [[gnu::noinline]] void append_csv(std::string& out, const Event& event) {
    text::append_csv_field(out, event.watched);
    out += ',';
    text::append_csv_field(out, labels_.of(event.mask));
    out += ',';
    text::append_csv_field(out, event.name);
    if (!event.old_path.empty()) {
      out += ',';
      text::append_csv_field(out, event.old_path);
    }
    out += ending_;
  }

  [[gnu::noinline]] void append_json(std::string& out, const Event& event) {
    out += '{';
    text::append_json_bytes(out, "watched", event.watched);
    out += ',';
    text::append_json_bytes(out, "name", event.name);
    if (!event.old_path.empty()) {
      out += ',';
      text::append_json_bytes(out, "old", event.old_path);
    }
    out += ",\"events\":[\"";
    for (const char c : labels_.of(event.mask)) {
      if (c == ',')
        out += "\",\"";
      else
        out += c;
    }
    out += "\"],\"cookie\":";
    append_decimal(out, event.cookie);
    out += ",\"time\":\"";
    time_.append(out, event.time);
    out += '"';
    if (event.pid != 0) {
      out += ",\"pid\":";
      append_decimal(out, static_cast<std::uint32_t>(event.pid));
    }
    if (!event.program.empty()) {
      out += ',';
      text::append_json_bytes(out, "program", event.program);
    }
    out += (event.mask & mask::is_directory) != 0 ? ",\"dir\":true" : ",\"dir\":false";
    out += event.recovered ? ",\"recovered\":true" : ",\"recovered\":false";
    out += '}';
    out += ending_;
  }

  Style style_;
  bool silent_ = false;
  std::vector<Step> steps_;
  std::string texts_;  // of the steps, one after the other
  text::Labels labels_{','};
  std::vector<text::Labels> other_labels_;  // one for each other separator
  std::string ending_;                      // of CSV and JSON; in a format it is a step
  text::EventTime time_;                    // %T's, or JSON's
  bool moves_ = false;                      // "%o" means something
  bool processes_ = false;                  // "%p" and "%P" do
};

Format::Format(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Format::Format(Format&&) noexcept = default;
Format& Format::operator=(Format&&) noexcept = default;
Format::~Format() = default;

Result<Format> Format::compile(std::string_view format, std::string_view time_format, std::string_view ending,
                               Moves moves, Processes processes) {
  auto impl = std::make_unique<Impl>(Impl::Style::steps);
  impl->compile(format, time_format, ending, moves, processes);
  if (impl->may_be_empty()) return Error{0, "format", {}, "a line might be empty"};
  return Format(std::move(impl));
}

Format Format::standard() {
  auto impl = std::make_unique<Impl>(Impl::Style::steps);
  impl->compile("%w %,e %f", "", "\n", Moves::halves, Processes::unknown);
  return Format(std::move(impl));
}

Format Format::csv(std::string_view ending) {
  return Format(std::make_unique<Impl>(Impl::Style::csv, ending));
}
Format Format::json(std::string_view ending) {
  return Format(std::make_unique<Impl>(Impl::Style::json, ending));
}

bool Format::names_processes() const {
  return impl_->names_processes();
}
bool Format::names_times() const {
  return impl_->names_times();
}

[[gnu::hot]] void Format::append(std::string& out, const Event& event) {
  impl_->append(out, event);
}

}  // namespace notify_core
