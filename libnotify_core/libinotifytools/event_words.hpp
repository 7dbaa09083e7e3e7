// SPDX-License-Identifier: GPL-2.0-or-later
// Names of events to bits and back, as libinotifytools has them; pure.
#pragma once

#include <string>
#include <string_view>

#include "notify_core/event.hpp"

namespace notify_core::inotifytools {

// The bits of the names between separators. 0: a name is empty; -1: no event is called so, or the separator
// may be part of a name.
int bits_of(std::string_view names, char separator);

// "CREATE,ISDIR"; in hexadecimal where there is no event among the bits.
std::string names_of(EventMask bits, char separator);

}  // namespace notify_core::inotifytools
