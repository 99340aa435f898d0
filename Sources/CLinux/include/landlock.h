// Landlock: which files a process may touch (landlock(7)). Reason: the calls have no wrapper in the C libraries of the
// distributions we run on, and the older kernel headers lack half of the rights.
#pragma once
#include <stdint.h>

#define AIBOX_FILES_READ 1         /* read files, list folders */
#define AIBOX_FILES_WRITE 2        /* make, change, rename and remove files and folders */
#define AIBOX_FILES_EXECUTE 4      /* start as a program */
#define AIBOX_FILES_REMOVE_EMPTY 8 /* remove empty folders */

struct aibox_files {
    const char *path; /* a folder with all below it, or a file */
    int access;
};

/// The version of Landlock that the kernel has; 0: none.
int aibox_landlock_version(void);

/// Confines this thread, and all that it starts from now on, to these files; paths that do not exist are left out.
/// Sockets in the abstract namespace of others are closed too, where the kernel can. Needs no_new_privs. 0, or -errno.
int aibox_landlock_confine(const struct aibox_files *files, int count);
