// SPDX-License-Identifier: GPL-2.0-or-later
#include "inotifysync/rsync/broken_run.hpp"

#include "inotifysync/rsync/words.hpp"

namespace inotifysync {
namespace {

bool no_space(std::string_view errors) {
  return has_any(errors, {"No space left on device", "Disk quota exceeded", "File too large"});
}

Verdict refused(std::string_view errors) {
  if (has(errors, "refuse --delete") || has(errors, "refuse --force") || has(errors, "refuse --remove")) {
    return Verdict::no_deletion;
  }
  return Verdict::hold;
}

bool is_move(const Step& step) {
  return step.kind == StepKind::move_directory || step.kind == StepKind::move_file;
}

bool refuses_links(std::string_view errors, const Step& step) {
  return is_move(step) && has_any(errors, {"refuse --checksum", "refuse --fuzzy", "refuse --link-dest"});
}

}  // namespace

std::string telling_words(std::string_view output, std::string_view errors, bool signalled, int code) {
  std::string best;
  int best_rank = 0;
  const auto weigh = [&](std::string_view line) {
    constexpr std::string_view prompt = "Password: ";
    if (starts(line, prompt)) line.remove_prefix(prompt.size());
    int rank = 3;
    if (starts(line, "rsync error:") || starts(line, "rsync warning:")) rank = 2;
    if (has_any(line, {"connection unexpectedly closed", "read error: Connection reset"})) rank = 2;
    if (has_any(line, {"@ERROR", "ERROR:", "The server is configured to refuse"})) rank = 4;
    if (has(line, "failed verification")) rank = 2;  // a line before this one may say why
    // ssh warns of a key file that is missing, and of much else, and goes on.
    if (starts(line, "Warning:") || starts(line, "WARNING:") || starts(line, "** ") || starts(line, "@@@"))
      rank = 1;
    if (rank > best_rank) best = line, best_rank = rank;
  };
  for_each_line(errors, weigh);
  if (best.empty()) {
    for_each_line(output, [&](std::string_view line) {
      if (has(line, "cannot delete")) weigh(line);
    });
  }
  if (!best.empty()) return best;
  return signalled ? "rsync was ended by signal " + std::to_string(code)
                   : "rsync ended with status " + std::to_string(code);
}

bool has_no_place(int code, std::string_view errors, const Step& step) {
  if (!is_move(step) || no_space(errors)) return false;
  return (code == 11 && has(errors, "] mkdir ")) || (code == 3 && !has(errors, "[sender]"));
}

Verdict breaking_verdict(int code, std::string_view errors, const Step& step) {
  if (refuses_links(errors, step)) return Verdict::no_links;
  if (no_space(errors)) return Verdict::target_full;
  switch (code) {
    case 1:
    case 4:
      return refused(errors);
    case 2:
      return has_any(errors, {"invalid file mode", "invalid path"}) ? Verdict::no_missing_args
                                                                    : Verdict::hold;
    case 3:
      return has(errors, "[sender]") ? Verdict::source_missing : Verdict::hold;
    case 5:
      return has(errors, "max connections") ? Verdict::busy : Verdict::hold;
    case 10:
      return has_any(errors, {"failed to connect", "getaddrinfo"}) ? Verdict::retry
                                                                   : Verdict::connection_lost;
    case 12:
      // An old receiver gives up with 2, and we may see no more than the broken connection.
      return has(errors, "invalid file mode") ? Verdict::no_missing_args : Verdict::connection_lost;
    case 14:
    case 124:
    case 125:
    case 126:
    case 127:
      return Verdict::hold;
    case 25:
      return Verdict::max_delete;
    case 255:
      return has_any(errors,
                     {"Permission denied", "Host key verification failed", "REMOTE HOST IDENTIFICATION"})
                 ? Verdict::hold
                 : Verdict::retry;
    default:
      return Verdict::retry;
  }
}

}  // namespace inotifysync
