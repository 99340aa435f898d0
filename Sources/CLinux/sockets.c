#define _GNU_SOURCE
#include "sockets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

static int failed(int descriptor) {
    int error = errno;
    if (descriptor >= 0) close(descriptor);
    return -error;
}

// sun_path has room for 107 characters only, and a run folder may be longer: so the folder is
// opened and the socket named through it.
static int unix_address(int folder, const char *name, struct sockaddr_un *address) {
    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    int length = snprintf(address->sun_path, sizeof address->sun_path, "/proc/self/fd/%d/%s", folder, name);
    if (length < 0 || (size_t)length >= sizeof address->sun_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    return 0;
}

static int unix_listen(const char *folder, const char *name, int type, int backlog) {
    int place = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (place < 0) return -errno;
    struct sockaddr_un address;
    struct stat status;
    int descriptor = -1, result;
    if (unix_address(place, name, &address) < 0) goto out;
    if (fstatat(place, name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISSOCK(status.st_mode)) unlinkat(place, name, 0);
    descriptor = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (descriptor < 0) goto out;
    // fchmod before bind sets the mode that the file gets: at no moment is it wider.
    if (fchmod(descriptor, 0600) < 0) goto out;
    if (bind(descriptor, (struct sockaddr *)&address, sizeof address) < 0) goto out;
    if (fchmodat(place, name, 0600, 0) < 0) goto out;
    if (listen(descriptor, backlog) < 0) goto out;
    close(place);
    return descriptor;
out:
    result = failed(descriptor);
    close(place);
    return result;
}

int aibox_unix_listen(const char *folder, const char *name, int backlog) {
    return unix_listen(folder, name, SOCK_STREAM, backlog);
}

int aibox_unix_listen_packets(const char *folder, const char *name, int backlog) {
    return unix_listen(folder, name, SOCK_SEQPACKET, backlog);
}

int aibox_accept_trusted(int socket) {
    struct ucred peer;
    socklen_t length = sizeof peer;
    int descriptor = accept4(socket, NULL, NULL, SOCK_CLOEXEC);
    if (descriptor < 0) return -errno;
    if (getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &peer, &length) < 0) return failed(descriptor);
    if (peer.uid != 0 && peer.uid != geteuid()) {
        close(descriptor);
        return -EACCES;
    }
    return descriptor;
}

int aibox_unix_connect(const char *folder, const char *name, int timeout) {
    int place = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (place < 0) return -errno;
    struct sockaddr_un address;
    struct timeval limit = {.tv_sec = timeout / 1000, .tv_usec = timeout % 1000 * 1000};
    int descriptor = -1, result;
    if (unix_address(place, name, &address) < 0) goto out;
    descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (descriptor < 0) goto out;
    if (setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) < 0) goto out;
    if (setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) < 0) goto out;
    while (connect(descriptor, (struct sockaddr *)&address, sizeof address) < 0)
        if (errno != EINTR) goto out;
    close(place);
    return descriptor;
out:
    result = failed(descriptor);
    close(place);
    return result;
}

static struct sockaddr_in ipv4(uint32_t address, uint16_t port) {
    struct sockaddr_in result = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(address)};
    return result;
}

int aibox_tcp_listen(uint32_t address, uint16_t port, int backlog) {
    struct sockaddr_in name = ipv4(address, port);
    int yes = 1;
    int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (descriptor < 0) return -errno;
    if (setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) < 0 ||
        bind(descriptor, (struct sockaddr *)&name, sizeof name) < 0 || listen(descriptor, backlog) < 0)
        return failed(descriptor);
    return descriptor;
}

int aibox_tcp_reserve(uint32_t address, uint16_t *port) {
    struct sockaddr_in name = ipv4(address, 0);
    socklen_t length = sizeof name;
    int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (descriptor < 0) return -errno;
    if (bind(descriptor, (struct sockaddr *)&name, sizeof name) < 0 ||
        getsockname(descriptor, (struct sockaddr *)&name, &length) < 0)
        return failed(descriptor);
    *port = ntohs(name.sin_port);
    return descriptor;
}

int aibox_udp_bind(uint32_t address, uint16_t port) {
    struct sockaddr_in name = ipv4(address, port);
    int descriptor = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (descriptor < 0) return -errno;
    if (bind(descriptor, (struct sockaddr *)&name, sizeof name) < 0) return failed(descriptor);
    return descriptor;
}

int aibox_tcp_connect_start(uint32_t address, uint16_t port) {
    struct sockaddr_in name = ipv4(address, port);
    int yes = 1;
    int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (descriptor < 0) return -errno;
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    if (connect(descriptor, (struct sockaddr *)&name, sizeof name) < 0 && errno != EINPROGRESS)
        return failed(descriptor);
    return descriptor;
}

int aibox_accept(int socket) {
    int descriptor = accept4(socket, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    return descriptor < 0 ? -errno : descriptor;
}

int aibox_socket_error(int socket) {
    int error = 0;
    socklen_t length = sizeof error;
    if (getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &length) < 0) return -errno;
    return -error;
}
