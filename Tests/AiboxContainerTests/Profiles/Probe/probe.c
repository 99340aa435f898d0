// Makes system calls that a sandbox must not make, and says what became of each: `NAME OUTCOME`, where the outcome is
// `ok`, the errno's name, or the signal that ended it.
//
//   probe [--filter FILE] NAME...     FILE: a compiled filter, loaded first, as a container runtime does
//
// Built without a libc of the sandbox (-static), so that it runs anywhere. Every call has arguments with which it does
// nothing, or nothing that outlives the process, where it is let through: a kernel that sees it answers EFAULT, EINVAL,
// EBADF, ENOENT, and none of them is EPERM.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

static long call(long number, long a, long b, long c, long d, long e) { // no call here needs a sixth argument but 0
    long result = syscall(number, a, b, c, d, e, 0L);
    return result < 0 ? -errno : result;
}

static long child_of(long result) { // the child of a clone that worked
    if (result == 0) _exit(0);
    if (result > 0) waitpid((pid_t)result, NULL, __WALL);
    return result;
}

static long clone_new(long flags) { return child_of(call(SYS_clone, flags | SIGCHLD, 0, 0, 0, 0)); }
static long clone3_new(uint64_t flags) {
    struct { uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls; } arguments = {
        .flags = flags, .exit_signal = SIGCHLD};
    return child_of(call(435, (long)&arguments, sizeof arguments, 0, 0, 0));
}

// The sibling of a process, to be traced and read: a child that sleeps.
static pid_t sibling(void) {
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        sleep(20);
        _exit(0);
    }
    return pid;
}
static long end(pid_t pid, long result) {
    kill(pid, SIGKILL);
    waitpid(pid, NULL, __WALL);
    return result;
}
static long ptrace_attach(void) {
    pid_t pid = sibling();
    return end(pid, call(SYS_ptrace, PTRACE_ATTACH, pid, 0, 0, 0));
}
static long ptrace_seize(void) {
    pid_t pid = sibling();
    return end(pid, call(SYS_ptrace, PTRACE_SEIZE, pid, 0, 0, 0));
}
static long ptrace_self(void) { return call(SYS_ptrace, PTRACE_TRACEME, 0, 0, 0, 0); }
static long read_memory(void) {
    static char there[8], here[8];
    struct iovec local = {here, sizeof here}, remote = {there, sizeof there};
    pid_t pid = sibling();
    return end(pid, call(SYS_process_vm_readv, pid, (long)&local, 1, (long)&remote, 1));
}
static long write_memory(void) {
    static char there[8], here[8];
    struct iovec local = {here, sizeof here}, remote = {there, sizeof there};
    pid_t pid = sibling();
    return end(pid, call(SYS_process_vm_writev, pid, (long)&local, 1, (long)&remote, 1));
}
static long take_descriptor(void) {
    pid_t pid = sibling();
    long pidfd = call(434, pid, 0, 0, 0, 0);
    return end(pid, call(438, pidfd, 0, 0, 0, 0));
}
static long compare_processes(void) {
    pid_t pid = sibling();
    return end(pid, call(SYS_kcmp, getpid(), pid, 1, 0, 0));
}

static long make_socket(int family, int type, int protocol) {
    long descriptor = call(SYS_socket, family, type, protocol, 0, 0);
    return descriptor < 0 ? descriptor : 0;
}

// A request on a descriptor that is none: EBADF where the kernel sees it.
static long request(unsigned long number) { return call(SYS_ioctl, -1, (long)number, 0, 0, 0); }

// Types a character into the terminal that the process itself controls.
static long type_into_terminal(void) {
    int pair = posix_openpt(O_RDWR | O_NOCTTY);
    if (pair < 0 || unlockpt(pair) < 0) return -errno;
    char name[64];
    if (ptsname_r(pair, name, sizeof name) != 0) return -ENOTTY;
    setsid();
    int terminal = open(name, O_RDWR);
    if (terminal < 0) return -errno;
    call(SYS_ioctl, terminal, TIOCSCTTY, 0, 0, 0);
    char letter = 'x';
    return call(SYS_ioctl, terminal, TIOCSTI, (long)&letter, 0, 0);
}

static long node(mode_t kind) {
    char name[64];
    snprintf(name, sizeof name, "/tmp/aibox-node-%d", getpid());
    long result = call(SYS_mknodat, AT_FDCWD, (long)name, kind | 0600, 0x103, 0);
    unlink(name);
    return result;
}

// A filter of the program's own that hands decisions to a listener.
static long own_filter(unsigned flags) {
    struct sock_filter allow = {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW};
    struct sock_fprog program = {1, &allow};
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    long result = call(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, (long)&program, 0, 0);
    return result < 0 ? result : 0;
}

// The way around a TRACE verdict: a filter of one's own that asks a listener about `unshare`, and a listener that lets it
// go on. Where a listener can be had, an `unshare` refused by TRACE would succeed.
static long through_listener(void) {
    struct sock_filter ask[] = {
        {BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(struct seccomp_data, nr)},
        {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, SYS_unshare},
        {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_USER_NOTIF},
        {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW},
    };
    struct sock_fprog program = {4, ask};
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    long listener = call(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, (long)&program, 0, 0);
    if (listener < 0) return listener;
    pid_t asker = fork();
    if (asker == 0) _exit(unshare(CLONE_NEWUSER) < 0 ? errno : 0);
    struct seccomp_notif question;
    memset(&question, 0, sizeof question);
    if (ioctl((int)listener, SECCOMP_IOCTL_NOTIF_RECV, &question) == 0) {
        struct seccomp_notif_resp answer = {.id = question.id, .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE};
        ioctl((int)listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
    }
    int status = 0;
    waitpid(asker, &status, 0);
    return -WEXITSTATUS(status);
}

static long change_personality(void) { // ADDR_NO_RANDOMIZE
    long result = call(SYS_personality, 0x0040000, 0, 0, 0, 0);
    return result < 0 ? result : 0;
}

#if defined(__x86_64__)
// getpid by the 32-bit table (20), and by x32's (39).
static long by_int80(void) {
    long result;
    __asm__ volatile("int $0x80" : "=a"(result) : "a"(20L) : "memory", "r8", "r9", "r10", "r11");
    return result < 0 ? result : 0;
}
static long by_x32(void) { return call(39 | 0x40000000, 0, 0, 0, 0, 0) < 0 ? -errno : 0; }
static long ports(void) { return call(SYS_iopl, 9, 0, 0, 0, 0); }
static long port_range(void) { return call(SYS_ioperm, 0x20000, 1, 1, 0, 0); }
#endif

#define BAD ((long)-4096) /* no address: EFAULT */

struct probe { const char *name; long (*run)(void); };
#define SIMPLE(id, expression) static long p_##id(void) { return (expression); }
SIMPLE(clone_user, clone_new(CLONE_NEWUSER))
SIMPLE(clone_mount, clone_new(CLONE_NEWNS))
SIMPLE(clone_net, clone_new(CLONE_NEWNET))
SIMPLE(clone_pid, clone_new(CLONE_NEWPID))
SIMPLE(clone_uts, clone_new(CLONE_NEWUTS))
SIMPLE(clone_ipc, clone_new(CLONE_NEWIPC))
SIMPLE(clone_cgroup, clone_new(CLONE_NEWCGROUP))
SIMPLE(clone_user_high, clone_new(CLONE_NEWUSER | 1L << 40))
SIMPLE(clone3_user, clone3_new(CLONE_NEWUSER))
SIMPLE(clone3_plain, clone3_new(0))
SIMPLE(unshare_user, call(SYS_unshare, CLONE_NEWUSER, 0, 0, 0, 0))
SIMPLE(unshare_time, call(SYS_unshare, 0x80, 0, 0, 0, 0))
SIMPLE(setns, call(SYS_setns, -1, 0, 0, 0, 0))
SIMPLE(mount, call(SYS_mount, BAD, BAD, BAD, 0, 0))
SIMPLE(umount, call(SYS_umount2, BAD, 0, 0, 0, 0))
SIMPLE(mount_setattr, call(442, -1, BAD, 0, 0, 0))
SIMPLE(open_tree, call(428, -1, BAD, 0, 0, 0))
SIMPLE(move_mount, call(429, -1, BAD, -1, BAD, 0))
SIMPLE(fsopen, call(430, BAD, 0, 0, 0, 0))
SIMPLE(fsconfig, call(431, -1, 0, 0, 0, 0))
SIMPLE(fsmount, call(432, -1, 0, 0, 0, 0))
SIMPLE(fspick, call(433, -1, BAD, 0, 0, 0))
SIMPLE(pivot_root, call(SYS_pivot_root, BAD, BAD, 0, 0, 0))
SIMPLE(chroot, call(SYS_chroot, BAD, 0, 0, 0, 0))
SIMPLE(bpf, call(SYS_bpf, 9999, BAD, 8, 0, 0))
SIMPLE(perf, call(SYS_perf_event_open, BAD, 0, 0, -1, 0))
SIMPLE(userfaultfd, call(SYS_userfaultfd, 0x10000000, 0, 0, 0, 0))
SIMPLE(uring_setup, call(425, 0, BAD, 0, 0, 0))
SIMPLE(uring_enter, call(426, -1, 0, 0, 0, 0))
SIMPLE(uring_register, call(427, -1, 0, 0, 0, 0))
SIMPLE(keyctl, call(SYS_keyctl, 9999, 0, 0, 0, 0))
SIMPLE(add_key, call(SYS_add_key, BAD, BAD, 0, 0, 0))
SIMPLE(request_key, call(SYS_request_key, BAD, BAD, 0, 0, 0))
SIMPLE(fanotify, call(SYS_fanotify_init, 0x10000000, 0, 0, 0, 0))
SIMPLE(kexec, call(SYS_kexec_load, 0, 0, 0, 0xFFFF, 0))
SIMPLE(kexec_file, call(SYS_kexec_file_load, -1, -1, 0, 0, 0xFFFF))
SIMPLE(init_module, call(SYS_init_module, BAD, 16, BAD, 0, 0))
SIMPLE(finit_module, call(SYS_finit_module, -1, BAD, 0, 0, 0))
SIMPLE(delete_module, call(SYS_delete_module, BAD, 0, 0, 0, 0))
SIMPLE(reboot, call(SYS_reboot, 1, 2, 3, 0, 0))
SIMPLE(swapon, call(SYS_swapon, BAD, 0, 0, 0, 0))
SIMPLE(swapoff, call(SYS_swapoff, BAD, 0, 0, 0, 0))
SIMPLE(file_handle, call(SYS_open_by_handle_at, -1, BAD, 0, 0, 0))
SIMPLE(quotactl, call(SYS_quotactl, 0x7FFFFFFF, 0, 0, 0, 0))
SIMPLE(acct, call(SYS_acct, BAD, 0, 0, 0, 0))
SIMPLE(syslog, call(SYS_syslog, 2, 0, -1, 0, 0))
SIMPLE(settimeofday, call(SYS_settimeofday, BAD, 0, 0, 0, 0))
SIMPLE(clock_settime, call(SYS_clock_settime, 0, BAD, 0, 0, 0))
SIMPLE(adjtimex, call(SYS_adjtimex, BAD, 0, 0, 0, 0))
SIMPLE(sethostname, call(SYS_sethostname, BAD, 4, 0, 0, 0))
SIMPLE(move_pages, call(SYS_move_pages, 0, 1, BAD, 0, 0))
SIMPLE(socket_packet, make_socket(AF_PACKET, SOCK_RAW, 0))
SIMPLE(socket_raw, make_socket(AF_INET, SOCK_RAW, 255))
SIMPLE(socket_alg, make_socket(AF_ALG, SOCK_SEQPACKET, 0))
SIMPLE(socket_vsock, make_socket(AF_VSOCK, SOCK_STREAM, 0))
SIMPLE(socket_netfilter, make_socket(AF_NETLINK, SOCK_RAW, 12))
SIMPLE(socket_key, make_socket(AF_KEY, SOCK_RAW, 2))
SIMPLE(tiocsti, request(0x5412))
SIMPLE(tiocsti_high, request(0xFFFFFFFF00005412UL))
SIMPLE(tioclinux, request(0x541C))
SIMPLE(tiocsetd, request(0x5423))
SIMPLE(device_char, node(S_IFCHR))
SIMPLE(device_block, node(S_IFBLK))
SIMPLE(filter_listener, own_filter(SECCOMP_FILTER_FLAG_NEW_LISTENER))
// Allowed: each must get through with the filter as without.
SIMPLE(ok_winsize, request(0x5413))
SIMPLE(ok_fifo, node(S_IFIFO))
SIMPLE(ok_filter, own_filter(0))
SIMPLE(ok_clone, clone_new(0))
SIMPLE(ok_tcp, make_socket(AF_INET, SOCK_STREAM, 0))
SIMPLE(ok_udp, make_socket(AF_INET, SOCK_DGRAM, 17))
SIMPLE(ok_unix, make_socket(AF_UNIX, SOCK_SEQPACKET, 0))
SIMPLE(ok_route, make_socket(AF_NETLINK, SOCK_RAW, 0))
SIMPLE(ok_fsync, call(SYS_fsync, -1, 0, 0, 0, 0))
SIMPLE(ok_personality, call(SYS_personality, 0xFFFFFFFF, 0, 0, 0, 0) < 0 ? -errno : 0)

#define ROW(id) {#id, p_##id}
static const struct probe probes[] = {
    ROW(clone_user), ROW(clone_mount), ROW(clone_net), ROW(clone_pid), ROW(clone_uts), ROW(clone_ipc),
    ROW(clone_cgroup), ROW(clone_user_high), ROW(clone3_user), ROW(clone3_plain), ROW(unshare_user), ROW(unshare_time),
    ROW(setns), ROW(mount), ROW(umount), ROW(mount_setattr), ROW(open_tree), ROW(move_mount), ROW(fsopen),
    ROW(fsconfig), ROW(fsmount), ROW(fspick), ROW(pivot_root), ROW(chroot), ROW(bpf), ROW(perf), ROW(userfaultfd),
    ROW(uring_setup), ROW(uring_enter), ROW(uring_register), ROW(keyctl), ROW(add_key), ROW(request_key),
    ROW(fanotify), ROW(kexec), ROW(kexec_file), ROW(init_module), ROW(finit_module), ROW(delete_module), ROW(reboot),
    ROW(swapon), ROW(swapoff), ROW(file_handle), ROW(quotactl), ROW(acct), ROW(syslog), ROW(settimeofday),
    ROW(clock_settime), ROW(adjtimex), ROW(sethostname), ROW(move_pages), ROW(socket_packet), ROW(socket_raw),
    ROW(socket_alg), ROW(socket_vsock), ROW(socket_netfilter), ROW(socket_key), ROW(tiocsti), ROW(tiocsti_high),
    ROW(tioclinux), ROW(tiocsetd), ROW(device_char), ROW(device_block), ROW(filter_listener),
    {"ptrace_attach", ptrace_attach}, {"ptrace_seize", ptrace_seize}, {"ptrace_self", ptrace_self},
    {"read_memory", read_memory}, {"write_memory", write_memory}, {"take_descriptor", take_descriptor},
    {"compare_processes", compare_processes}, {"type_into_terminal", type_into_terminal},
    {"through_listener", through_listener}, {"change_personality", change_personality},
#if defined(__x86_64__)
    {"by_int80", by_int80}, {"by_x32", by_x32}, {"ports", ports}, {"port_range", port_range},
#endif
    ROW(ok_winsize), ROW(ok_fifo), ROW(ok_filter), ROW(ok_clone), ROW(ok_tcp), ROW(ok_udp), ROW(ok_unix), ROW(ok_route),
    ROW(ok_fsync), ROW(ok_personality),
};

static void load(const char *path) {
    static struct sock_filter instructions[4096];
    int file = open(path, O_RDONLY);
    ssize_t length = file < 0 ? -1 : read(file, instructions, sizeof instructions);
    if (length <= 0) exit(70);
    close(file);
    struct sock_fprog program = {(unsigned short)(length / (ssize_t)sizeof instructions[0]), instructions};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) exit(71);
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0) exit(72);
}

// In a process of its own, so that a deadly signal is an outcome like any other.
static void run(const struct probe *probe) {
    int pair[2];
    if (pipe(pair) < 0) exit(73);
    fflush(stdout);
    pid_t pid = fork();
    if (pid < 0) exit(74);
    if (pid == 0) {
        alarm(10);
        long result = probe->run();
        ssize_t written = write(pair[1], &result, sizeof result);
        _exit(written == sizeof result ? 0 : 75);
    }
    close(pair[1]);
    long result = 0;
    ssize_t length = read(pair[0], &result, sizeof result);
    int status = 0;
    waitpid(pid, &status, 0);
    close(pair[0]);
    if (WIFSIGNALED(status)) {
        const char *name = sigabbrev_np(WTERMSIG(status));
        printf("%s SIG%s\n", probe->name, name ? name : "?");
    } else if (length != (ssize_t)sizeof result) {
        printf("%s nothing\n", probe->name);
    } else if (result >= 0) {
        printf("%s ok\n", probe->name);
    } else {
        const char *name = strerrorname_np((int)-result);
        printf("%s %s\n", probe->name, name ? name : "?");
    }
}

int main(int count, char **words) {
    int first = 1;
    if (count > 2 && strcmp(words[1], "--filter") == 0) {
        load(words[2]);
        first = 3;
    }
    for (size_t i = 0; i < sizeof probes / sizeof probes[0]; i++) {
        int wanted = first == count;
        for (int word = first; word < count; word++) wanted |= strcmp(words[word], probes[i].name) == 0;
        if (wanted) run(&probes[i]);
    }
    return 0;
}
