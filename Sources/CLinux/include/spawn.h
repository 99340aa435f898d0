// Starting a child: fork, then only async-signal-safe calls, then exec. Reason: after fork in
// a process with threads no Swift code may run in the child.
#pragma once
#include <sys/types.h>

#define AIBOX_SPAWN_NEW_SESSION 1 /* setsid(2): survives the terminal */
#define AIBOX_SPAWN_NEW_GROUP 2   /* setpgid(2): signals to the terminal's group miss it */
#define AIBOX_SPAWN_POWERLESS 4   /* no capability, not even for root, and none to gain */

/// Starts `path` with exactly the descriptors of `descriptors`: descriptor i of the child is
/// `descriptors[i]` of the parent (-1: none); every other descriptor is closed.
/// `death_signal` (0: none) is sent to the child when the thread that started it ends.
/// `account` (NULL: the caller's) is a user and a group that the child becomes, without further groups.
/// Returns the pid, or -errno of the step that failed (exec's errno included).
pid_t aibox_spawn(const char *path, char *const argv[], char *const envp[], const char *directory,
                  const int *descriptors, int descriptor_count, int flags, int death_signal,
                  const unsigned account[2]);
