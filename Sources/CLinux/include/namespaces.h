// Namespaces. Reason: unshare(2), setns(2) and the CLONE_ constants are GNU extensions that
// Swift's Glibc module does not show; and after fork(2) only C may run.
#pragma once
#include <stdint.h>
#include <sys/types.h>

#define AIBOX_NAMESPACE_USER 0x10000000    /* CLONE_NEWUSER */
#define AIBOX_NAMESPACE_NETWORK 0x40000000 /* CLONE_NEWNET */
#define AIBOX_NAMESPACE_MOUNT 0x00020000   /* CLONE_NEWNS */

/// 0, or -errno.
int aibox_unshare(int namespaces);
int aibox_setns(int descriptor, int namespaces);

/// Forks a child that does nothing but stay in the caller's namespaces, without descriptor and
/// capability; it dies when the calling thread does. Only for a process with one thread. Its pid, or -errno.
pid_t aibox_fork_resting(const char *name);

/// Takes every capability but those of `keep` (bit n: capability n) from this thread and from all
/// that it will ever execute. 0, or -errno.
int aibox_keep_capabilities(uint64_t keep);

/// Gives up every capability of this thread. The bounding set stays as it is: who may not shrink it can do this, and who
/// executes nothing any more gets none back. 0, or -errno.
int aibox_drop_capabilities(void);
