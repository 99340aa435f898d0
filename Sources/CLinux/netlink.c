#define _GNU_SOURCE
#include "netlink.h"

#include <errno.h>
#include <linux/netlink.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

int aibox_netlink_open(int protocol, int timeout) {
    struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
    struct timeval limit = {.tv_sec = timeout / 1000, .tv_usec = timeout % 1000 * 1000};
    int descriptor = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
    if (descriptor < 0) return -errno;
    if (setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) < 0 ||
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) < 0 ||
        bind(descriptor, (struct sockaddr *)&kernel, sizeof kernel) < 0 ||
        connect(descriptor, (struct sockaddr *)&kernel, sizeof kernel) < 0) {
        int error = errno;
        close(descriptor);
        return -error;
    }
    return descriptor;
}

int aibox_netlink_subscribe(int protocol, unsigned group) {
    struct sockaddr_nl own = {.nl_family = AF_NETLINK, .nl_groups = 1u << (group - 1)};
    int descriptor = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);
    if (descriptor < 0) return -errno;
    if (bind(descriptor, (struct sockaddr *)&own, sizeof own) < 0) {
        int error = errno;
        close(descriptor);
        return -error;
    }
    return descriptor;
}
