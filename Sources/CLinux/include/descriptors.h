// Passing descriptors and asking who is at the other end. Reason: the CMSG_ macros and
// struct ucred do not reach Swift.
#pragma once
#include <stddef.h>
#include <sys/types.h>

/// Sends `length` bytes and up to 16 descriptors in one message. 0, or -errno.
int aibox_send_descriptors(int socket, const void *bytes, size_t length, const int *descriptors, int count);

// Waits for a message of a packet socket and leaves it there. Returns its length, 0 at the end, or -errno.
ssize_t aibox_await_message(int socket);

/// Receives one message. `*count` is the room on entry, the number received on return; all are
/// close-on-exec. Returns the number of bytes (0: the other end is gone), or -errno.
ssize_t aibox_receive_descriptors(int socket, void *bytes, size_t length, int *descriptors, int *count);

/// SO_PEERCRED of a connected unix socket. 0, or -errno.
int aibox_peer_credentials(int socket, pid_t *pid, uid_t *uid, gid_t *gid);

/// socketpair(AF_UNIX, SOCK_SEQPACKET), close-on-exec. 0, or -errno.
int aibox_packet_pair(int pair[2]);

/// pipe2(O_CLOEXEC). 0, or -errno.
int aibox_pipe(int pair[2]);

/// splice(2): up to `length` bytes from a pipe to another descriptor, uncopied where that can be. How many, or -errno.
ssize_t aibox_splice(int from, int to, size_t length);

/// sync_file_range(2) with SYNC_FILE_RANGE_WRITE: begins to write a part of a file to the disk, and waits for nothing. 0, or -errno.
int aibox_begin_writing(int file, off_t offset, off_t length);
