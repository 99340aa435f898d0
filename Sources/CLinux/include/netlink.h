// Netlink sockets. Reason: struct sockaddr_nl does not reach Swift.
#pragma once

#define AIBOX_NETLINK_ROUTE 0 /* NETLINK_ROUTE, rtnetlink(7) */

/// A netlink socket of the network namespace in which it is opened, wherever the process goes later.
/// Sends and receives give up after `timeout` milliseconds. >= 0, or -errno.
int aibox_netlink_open(int protocol, int timeout);

/// A non-blocking netlink socket that receives what the kernel tells a multicast group. >= 0, or -errno.
int aibox_netlink_subscribe(int protocol, unsigned group);
