// Processes. Reason: prctl(2) is variadic, pidfds have no libc wrapper in older glibc, and wait
// macros are not imported.
#pragma once
#include <stdbool.h>
#include <sys/types.h>

/// A descriptor that becomes readable when the process ends. >= 0, or -errno.
int aibox_pidfd_open(pid_t pid);
/// Sends a signal to exactly the process behind the descriptor. 0, or -errno.
int aibox_pidfd_send_signal(int pidfd, int signal);

/// Waits for a child. Returns its pid, 0 (`block` false and still running), or -errno.
/// On return exactly one of `*exit_code` and `*signal` is >= 0.
pid_t aibox_wait(pid_t pid, bool block, int *exit_code, int *signal);

// Gives large blocks of the heap back to the kernel as soon as they are free. glibc keeps more of them the larger they were
// (mallopt(3), M_MMAP_THRESHOLD), which suits no process that holds a large request once a day.
void aibox_return_large_blocks(void);

// Gives back what is free between blocks that are in use as well (malloc_trim(3)). Takes milliseconds.
void aibox_return_free_memory(void);

/// prctl(2), one function an option. 0, or -errno.
int aibox_set_death_signal(int signal);
int aibox_set_dumpable(bool dumpable);
int aibox_set_no_new_privileges(void);
int aibox_set_process_name(const char *name);
/// Raises how many descriptors this process may have open: to the hard limit, at most to `most`. 0, or -errno.
int aibox_raise_descriptor_limit(unsigned long most);

/// Blocks the signals of `numbers` in this thread (and those it starts) and makes a descriptor that
/// becomes readable when one arrives. >= 0, or -errno.
int aibox_signal_descriptor(const int *numbers, int count);
