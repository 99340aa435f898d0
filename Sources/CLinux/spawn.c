#define _GNU_SOURCE
#include "spawn.h"
#include "namespaces.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MAX_DESCRIPTORS = 32 };

static void fail(int channel) {
    int error = errno;
    ssize_t ignored = write(channel, &error, sizeof error);
    (void)ignored;
    _exit(127);
}

static void run_child(int channel, pid_t parent, const char *path, char *const argv[], char *const envp[],
                      const char *directory, const int *descriptors, int count, int flags, int death_signal,
                      const unsigned *account) {
    int moved[MAX_DESCRIPTORS];
    if ((flags & AIBOX_SPAWN_NEW_SESSION) && setsid() < 0) fail(channel);
    if ((flags & AIBOX_SPAWN_NEW_GROUP) && setpgid(0, 0) < 0) fail(channel);
    if (account != NULL && (setgroups(0, NULL) < 0 || setresgid(account[1], account[1], account[1]) < 0 ||
                            setresuid(account[0], account[0], account[0]) < 0))
        fail(channel);
    if (flags & AIBOX_SPAWN_POWERLESS) {
        // Who is not root has no right to shrink the bounding set, and gains nothing by it.
        int result = aibox_keep_capabilities(0);
        if (result < 0 && geteuid() == 0) {
            errno = -result;
            fail(channel);
        }
        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) fail(channel);
    }
    // After the change of account, which takes the request away.
    if (death_signal != 0) {
        if (prctl(PR_SET_PDEATHSIG, death_signal) < 0) fail(channel);
        if (getppid() != parent) _exit(127); // the parent died before the request took effect
    }
    // Move every source out of the way first, so that no dup2 below overwrites one still needed.
    channel = fcntl(channel, F_DUPFD_CLOEXEC, MAX_DESCRIPTORS);
    if (channel < 0) _exit(127);
    for (int i = 0; i < count; i++) {
        moved[i] = descriptors[i] < 0 ? -1 : fcntl(descriptors[i], F_DUPFD_CLOEXEC, MAX_DESCRIPTORS);
        if (descriptors[i] >= 0 && moved[i] < 0) fail(channel);
    }
    for (int i = 0; i < count; i++) {
        if (moved[i] < 0) close(i);
        else if (dup2(moved[i], i) < 0) fail(channel);
    }
    // The channel has to live until exec; everything else above the wanted descriptors goes.
    if (syscall(SYS_close_range, (unsigned)count, (unsigned)(channel - 1), 0) < 0 && errno != EINVAL) fail(channel);
    if (syscall(SYS_close_range, (unsigned)(channel + 1), ~0u, 0) < 0) fail(channel);
    if (directory != NULL && chdir(directory) < 0) fail(channel);
    struct sigaction standard = {.sa_handler = SIG_DFL};
    for (int number = 1; number < 32; number++) sigaction(number, &standard, NULL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    execve(path, argv, envp);
    fail(channel);
}

pid_t aibox_spawn(const char *path, char *const argv[], char *const envp[], const char *directory,
                  const int *descriptors, int descriptor_count, int flags, int death_signal,
                  const unsigned account[2]) {
    if (descriptor_count < 0 || descriptor_count > MAX_DESCRIPTORS) return -EINVAL;
    int channel[2];
    if (pipe2(channel, O_CLOEXEC) < 0) return -errno;
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid < 0) {
        int error = errno;
        close(channel[0]);
        close(channel[1]);
        return -error;
    }
    if (pid == 0)
        run_child(channel[1], parent, path, argv, envp, directory, descriptors, descriptor_count, flags, death_signal,
                  account);
    close(channel[1]);
    int error = 0;
    ssize_t length;
    do length = read(channel[0], &error, sizeof error);
    while (length < 0 && errno == EINTR);
    close(channel[0]);
    if (length == (ssize_t)sizeof error) {
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {}
        return error > 0 ? -error : -EIO;
    }
    return pid;
}
