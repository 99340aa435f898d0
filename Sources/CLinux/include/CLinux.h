// One header a topic. A shim exists for one of two reasons: Swift's Glibc module hides the
// call (variadic, macro, GNU extension), or the code runs between fork and exec, where only
// async-signal-safe C is allowed.
#pragma once
#include "spawn.h"
#include "mounts.h"
#include "namespaces.h"
#include "descriptors.h"
#include "netlink.h"
#include "notify.h"
#include "process.h"
#include "sockets.h"
#include "landlock.h"
