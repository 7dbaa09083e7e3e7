// SPDX-License-Identifier: GPL-2.0-or-later
// What the shared library shows. Everything is compiled hidden; a class or function of the public headers
// that lives in the library says NOTIFY_API, and its private Impl says NOTIFY_LOCAL where it is defined.
#pragma once

#define NOTIFY_API __attribute__((visibility("default")))
#define NOTIFY_LOCAL __attribute__((visibility("hidden")))
