// SPDX-License-Identifier: GPL-2.0-or-later
// What a run of rsync that broke off means, by its exit status and its words. Pure.
#pragma once

#include <string>
#include <string_view>

#include "inotifysync/rsync/rsync_outcome.hpp"

namespace inotifysync {

// The line that tells a person most; if there is none, how the run ended.
std::string telling_words(std::string_view output, std::string_view errors, bool signalled, int code);

// `code` is none that rsync goes on to its end with: not 0, 23, 24 or 25.
Verdict breaking_verdict(int code, std::string_view errors, const Step& step);

// A move whose new place cannot be made on the target: others have taken its directory away, or put something
// else there. Planned again in the same way it would break off for ever.
bool has_no_place(int code, std::string_view errors, const Step& step);

}  // namespace inotifysync
