// Sockets by address. Reason: sockaddr casts and the flags of socket(2) and accept4(2) are
// clumsy or hidden in Swift. Every socket is close-on-exec. Addresses are IPv4 in host byte order.
#pragma once
#include <stdint.h>

/// Listens on `folder/name`, mode 0600; a socket of that name is replaced. Works for paths longer
/// than sun_path. >= 0, or -errno.
int aibox_unix_listen(const char *folder, const char *name, int backlog);
/// The same for SOCK_SEQPACKET.
int aibox_unix_listen_packets(const char *folder, const char *name, int backlog);
/// Accepts, without blocking, a connection whose maker (SO_PEERCRED) is this process' user or root; the socket blocks.
/// >= 0, or -errno; -EACCES for anybody else, who is hung up on.
int aibox_accept_trusted(int socket);
/// Connects a SOCK_STREAM socket whose sends and receives give up after `timeout` milliseconds.
int aibox_unix_connect(const char *folder, const char *name, int timeout);

/// >= 0, or -errno. -EADDRINUSE also if another socket took the port between bind and listen.
int aibox_tcp_listen(uint32_t address, uint16_t port, int backlog);
/// A bound TCP socket on a port that the kernel chose.
int aibox_tcp_reserve(uint32_t address, uint16_t *port);
int aibox_udp_bind(uint32_t address, uint16_t port);
/// A non-blocking socket whose connection is being made; ask aibox_socket_error once it is writable.
int aibox_tcp_connect_start(uint32_t address, uint16_t port);
/// Accepts without blocking. >= 0, or -errno.
int aibox_accept(int socket);
/// SO_ERROR: 0, or -errno.
int aibox_socket_error(int socket);
