// Namespaces. Reason: unshare(2), setns(2) and the CLONE_ constants are GNU extensions that
// Swift's Glibc module does not show.
#pragma once

#define AIBOX_NAMESPACE_USER 0x10000000    /* CLONE_NEWUSER */
#define AIBOX_NAMESPACE_NETWORK 0x40000000 /* CLONE_NEWNET */
#define AIBOX_NAMESPACE_MOUNT 0x00020000   /* CLONE_NEWNS */

/// 0, or -errno.
int aibox_unshare(int namespaces);
int aibox_setns(int descriptor, int namespaces);
