#define _GNU_SOURCE
#include "namespaces.h"

#include <errno.h>
#include <sched.h>

int aibox_unshare(int namespaces) { return unshare(namespaces) < 0 ? -errno : 0; }
int aibox_setns(int descriptor, int namespaces) { return setns(descriptor, namespaces) < 0 ? -errno : 0; }
