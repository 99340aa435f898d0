#!/bin/bash
# Real work, one item a line: `ok NAME`, `FAIL NAME` with what was said, `absent NAME` where the tool is not installed.
# Runs as an ordinary user in a writable folder, with a home and without a network beyond loopback.
set -u
export LC_ALL=C HOME=${HOME:-/home/dev} GIT_CONFIG_NOSYSTEM=1
work=$PWD/corpus.$$
mkdir -p "$work" && cd "$work" || exit 1
failed=0
item() { # NAME TOOL CODE: runs the function CODE in a folder of its own under a time limit
    local name=$1 tool=$2 code=$3
    if ! command -v "$tool" >/dev/null; then echo "absent $name"; return; fi
    mkdir -p "$work/$name" && cd "$work/$name" || exit 1
    if timeout 120 bash -euo pipefail -c "$(declare -f "$code"); $code" >"$work/$name.log" 2>&1 </dev/null; then
        echo "ok $name"
    else
        echo "FAIL $name (status $?)"; sed 's/^/    /' "$work/$name.log" | tail -20; failed=1
    fi
    cd "$work" || exit 1
}

git_work() {
    export GIT_AUTHOR_NAME=t GIT_AUTHOR_EMAIL=t@t.test GIT_COMMITTER_NAME=t GIT_COMMITTER_EMAIL=t@t.test
    git init -q -b main a; cd a
    git config core.fsync all; git config core.fsyncMethod fsync; git config core.untrackedCache true
    for i in 1 2 3 4 5; do echo $i > f$i; ln -s f$i l$i; git add -A; git commit -qm "c$i"; done
    git checkout -q -b side HEAD~2; echo x > side; git add -A; git commit -qm side
    git rebase -q main; git checkout -q main; git merge -q --no-ff -m m side
    git worktree add -q ../w side~1; git -C ../w status --short
    git stash list; echo dirty > f1; git stash -q; git stash pop -q; git checkout -q f1
    git repack -adq; git gc -q --prune=now; git fsck --strict
    cd ..; git clone -q a b; git clone -q --bare a c.git; git clone -q --shared a d
    cd b; echo y > y; git add y; git commit -qm y; git push -q ../c.git HEAD:refs/heads/new; git fetch -q ../c.git new
    git log --oneline | wc -l; git grep -n x; git archive HEAD | tar t; git bisect start HEAD HEAD~3; git bisect reset
    git clone -q file://$PWD/../c.git ../e
}
sqlite_work() {
    sqlite3 t.db "pragma journal_mode=wal; pragma synchronous=full; create table t(a); insert into t values(1),(2);" | grep wal
    sqlite3 t.db "pragma wal_checkpoint(truncate); select sum(a) from t;" | grep -x 3
    sqlite3 u.db "pragma journal_mode=delete; pragma synchronous=extra; pragma mmap_size=1000000; begin; create table t(a); commit; vacuum; select count(*) from t;" | tail -1 | grep -x 0
}
files() {
    mkdir -p a/b/c; echo 1 > a/b/c/f; ln a/b/c/f a/b/hard; ln -s c/f a/b/soft; chmod 640 a/b/c/f
    # Not in the workspace: gVisor keeps no attributes of a FIFO that lies on the host, with a filter or without one.
    mkfifo "$HOME/fifo"; cp -a "$HOME/fifo" "$HOME/fifo2"; rm "$HOME/fifo" "$HOME/fifo2"
    cp -a a copy; cp --reflink=auto a/b/c/f r; cp --sparse=always a/b/c/f s; diff -r a/b copy/b
    tar cf t.tar a; mkdir x; tar xpf t.tar -C x; tar czf t.tgz --xattrs --acls a || tar czf t.tgz a; rm -r x; mkdir x; tar xzf t.tgz -C x
    find a -type f -newer /etc/passwd -o -name 'f*' | sort; find a -depth -print0 | xargs -0 stat -c %n >/dev/null
    mv copy moved; touch -h -d 2020-01-01 a/b/soft; truncate -s 1M big; dd if=/dev/zero of=dd bs=64k count=4 conv=fsync status=none
    dd if=/dev/zero of=dd bs=4k count=4 oflag=direct status=none || true
    fallocate -l 1M fa; fallocate -p -o 0 -l 4096 fa || true; shred -u dd; install -m 755 r inst; sync -f .; sync inst; df . ; du -sh a; ls -la a; rm -r a moved
    flock lock -c true; mktemp; stat -f .; getfacl . || true; chgrp "$(id -g)" r; chown "$(id -u)" r; timeout 5 sleep 0.01; nice -n 5 true; nohup true; ionice -c 3 true || true
    head -c 100000 /dev/urandom | gzip | zcat | sha256sum; seq 200000 | sort -R --parallel=2 | sort -n | tail -1 | grep -x 200000
    setsid true; mkfifo p; (echo hi > p &) ; read -r line < p; [ "$line" = hi ]; id; who || true; uptime || true; ps aux > processes; nproc; free || true
}
compile() {
    printf '#include <stdio.h>\n#include <pthread.h>\n#include <stdlib.h>\nstatic void*f(void*p){return p;}\nint main(void){pthread_t t[16];for(int i=0;i<16;i++)if(pthread_create(t+i,0,f,0))return 1;for(int i=0;i<16;i++)pthread_join(t[i],0);puts("ran");return 0;}\n' > m.c
    printf 'all: m\nm: m.c\n\tgcc -O2 -pipe -Wall -pthread -o m m.c\ncheck: m\n\t./m | grep -x ran\n' > Makefile
    make -s -j4; make -s check; gcc -flto -O2 -pthread m.c -o m2; ./m2; ar rcs l.a m.c; objdump -d m > listing; ldd m; strip m; ./m
    printf '#include <thread>\n#include <iostream>\nint main(){std::thread t([]{std::cout<<"cpp\\n";});t.join();}\n' > m.cc
    if command -v g++; then g++ -O1 -pthread m.cc -o mcc; ./mcc | grep -x cpp; fi
}
cprobe() {
    cat > p.c <<'C'
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>
#define MUST(e) do { errno = 0; if (!(e)) { fprintf(stderr, "%d: %s: %s\n", __LINE__, #e, strerror(errno)); exit(1); } } while (0)
/* may be unknown to the kernel (ENOSYS), never forbidden */
#define MAY(e) do { errno = 0; if (!(e) && errno != ENOSYS && errno != EOPNOTSUPP && errno != EINVAL) { fprintf(stderr, "%d: %s: %s\n", __LINE__, #e, strerror(errno)); exit(1); } } while (0)
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER; static pthread_cond_t c = PTHREAD_COND_INITIALIZER; static int go;
static void *waiter(void *p) { pthread_mutex_lock(&m); while (!go) pthread_cond_wait(&c, &m); pthread_mutex_unlock(&m); return p; }
extern char **environ;
int main(void) {
    pthread_t t; MUST(!pthread_create(&t, 0, waiter, 0)); usleep(1000); pthread_mutex_lock(&m); go = 1; pthread_cond_broadcast(&c); pthread_mutex_unlock(&m); MUST(!pthread_join(t, 0));
    pthread_mutex_t robust; pthread_mutexattr_t a; pthread_mutexattr_init(&a); pthread_mutexattr_setrobust(&a, PTHREAD_MUTEX_ROBUST); pthread_mutexattr_setprotocol(&a, PTHREAD_PRIO_INHERIT); MUST(!pthread_mutex_init(&robust, &a)); MUST(!pthread_mutex_lock(&robust)); MUST(!pthread_mutex_unlock(&robust));
    int n = inotify_init1(IN_CLOEXEC); MUST(n >= 0); MUST(inotify_add_watch(n, ".", IN_CREATE) >= 0); close(open("seen", O_CREAT | O_WRONLY, 0600)); char b[4096]; MUST(read(n, b, sizeof b) > 0);
    int mf = memfd_create("x", MFD_CLOEXEC | MFD_ALLOW_SEALING); MUST(mf >= 0); MUST(!ftruncate(mf, 4096)); void *p = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, mf, 0); MUST(p != MAP_FAILED); MUST(!mprotect(p, 4096, PROT_READ)); MUST(!munmap(p, 4096)); MUST(!fcntl(mf, F_ADD_SEALS, F_SEAL_SHRINK));
    p = mmap(0, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); MUST(p != MAP_FAILED); MAY(!madvise(p, 4096, MADV_DONTNEED)); MAY(!mlock(p, 4096)); MUST(mremap(p, 4096, 8192, MREMAP_MAYMOVE) != MAP_FAILED);
    int pf; MAY((pf = (int)syscall(SYS_pidfd_open, getpid(), 0)) >= 0); if (pf >= 0) MAY(!syscall(SYS_pidfd_send_signal, pf, 0, 0, 0));
    struct { unsigned long long flags, mode, resolve; } how = {O_RDONLY, 0, 0x08}; MAY(syscall(SYS_openat2, AT_FDCWD, ".", &how, sizeof how) >= 0);
    MAY(!syscall(SYS_close_range, 200, 210, 0)); struct statx sx; MUST(!statx(AT_FDCWD, ".", 0, STATX_ALL, &sx)); MAY(!syscall(SYS_faccessat2, AT_FDCWD, ".", R_OK, 0));
    MUST(!setxattr("seen", "user.a", "1", 1, 0) || errno == EOPNOTSUPP); MUST(getxattr("seen", "user.a", b, 10) >= 0 || errno == ENODATA || errno == EOPNOTSUPP); MUST(listxattr("seen", b, 100) >= 0 || errno == EOPNOTSUPP);
    MAY(syscall(SYS_membarrier, 0, 0, 0) >= 0); MAY(syscall(446 - 2, 0, 0, 1) >= 0); /* landlock version */
    int e = epoll_create1(0), ev = eventfd(0, EFD_CLOEXEC), tf = timerfd_create(CLOCK_MONOTONIC, 0); MUST(e >= 0 && ev >= 0 && tf >= 0); struct epoll_event ee = {.events = EPOLLIN}; MUST(!epoll_ctl(e, EPOLL_CTL_ADD, tf, &ee)); struct itimerspec its = {.it_value = {0, 1000000}}; MUST(!timerfd_settime(tf, 0, &its, 0)); MUST(epoll_wait(e, &ee, 1, 1000) == 1);
    sigset_t s; sigemptyset(&s); sigaddset(&s, SIGUSR1); MUST(!sigprocmask(SIG_BLOCK, &s, 0)); int sf = signalfd(-1, &s, SFD_CLOEXEC); MUST(sf >= 0); raise(SIGUSR1); MUST(read(sf, b, 128) == 128); raise(SIGUSR1); MUST(sigtimedwait(&s, 0, &(struct timespec){1, 0}) == SIGUSR1);
    timer_t tm; struct sigevent se = {.sigev_notify = SIGEV_NONE}; MUST(!timer_create(CLOCK_REALTIME, &se, &tm)); MUST(!timer_delete(tm)); struct itimerval iv = {{0, 0}, {0, 0}}; MUST(!setitimer(ITIMER_REAL, &iv, 0));
    int id = shmget(IPC_PRIVATE, 4096, 0600); MUST(id >= 0); void *q = shmat(id, 0, 0); MUST(q != (void *)-1); MUST(!shmdt(q)); MUST(!shmctl(id, IPC_RMID, 0)); id = semget(IPC_PRIVATE, 1, 0600); MUST(id >= 0); MUST(!semctl(id, 0, IPC_RMID));
    int sp[2]; MUST(!socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sp)); int one = 1; MUST(!setsockopt(sp[0], SOL_SOCKET, SO_PASSCRED, &one, sizeof one));
    int pm = posix_openpt(O_RDWR | O_NOCTTY); MUST(pm >= 0); MUST(!grantpt(pm)); MUST(!unlockpt(pm)); struct winsize w = {24, 80, 0, 0}; MUST(!ioctl(pm, TIOCSWINSZ, &w)); int av; MUST(!ioctl(sp[0], FIONREAD, &av)); MUST(!ioctl(sp[0], FIONBIO, &one));
    MUST(!prctl(PR_SET_NAME, "probe")); MUST(!prctl(PR_SET_PDEATHSIG, SIGTERM)); MAY(!prctl(PR_SET_CHILD_SUBREAPER, 1)); MUST(getsid(0) >= 0); struct rlimit rl; MUST(!getrlimit(RLIMIT_NOFILE, &rl)); MUST(!setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0})); MUST(!setpriority(PRIO_PROCESS, 0, 5)); MUST(sched_get_priority_max(SCHED_OTHER) >= 0); cpu_set_t cs; MUST(!sched_getaffinity(0, sizeof cs, &cs)); MUST(!sched_setaffinity(0, sizeof cs, &cs));
    pid_t pid; char *argv[] = {"true", 0}; MUST(!posix_spawnp(&pid, "true", 0, 0, argv, environ)); int st; MUST(waitpid(pid, &st, 0) == pid && !st); pid = vfork(); if (!pid) _exit(7); MUST(waitpid(pid, &st, 0) == pid);
    MUST(!mkfifo("ff", 0600)); MUST(!mknod("plain", S_IFREG | 0600, 0)); int d = open(".", O_RDONLY | O_DIRECTORY); MUST(!fchdir(d)); MUST(!fsync(d)); int f = open("f", O_CREAT | O_RDWR, 0600); MUST(write(f, "abc", 3) == 3); MUST(!fdatasync(f)); MAY(!posix_fadvise(f, 0, 0, POSIX_FADV_DONTNEED)); MAY(!sync_file_range(f, 0, 0, 0)); MAY(!fallocate(f, 0, 0, 100)); int g = open("g", O_CREAT | O_RDWR, 0600); MAY(copy_file_range(f, &(loff_t){0}, g, 0, 3, 0) == 3); MAY(!renameat2(AT_FDCWD, "g", AT_FDCWD, "h", RENAME_NOREPLACE)); int tmp; MUST((tmp = open(".", O_TMPFILE | O_RDWR, 0600)) >= 0 || errno == EOPNOTSUPP || errno == EISDIR);
    puts("probes done"); return 0;
}
C
    gcc -O1 -pthread -o p p.c; ./p | grep -x "probes done"
}
restarted() { # a sleeping call that a stop and a continue interrupt goes on by restart_syscall
    bash -c 'sleep 0.6' & local pid=$!; sleep 0.2; kill -STOP $pid; sleep 0.1; kill -CONT $pid; wait $pid
    printf '#include <time.h>\n#include <poll.h>\n#include <errno.h>\nint main(void){struct timespec t={0,600000000};if(nanosleep(&t,0))return errno;return poll(0,0,600)?1:0;}\n' > r.c; gcc r.c -o r
    ./r & pid=$!; sleep 0.2; kill -STOP $pid; sleep 0.1; kill -CONT $pid; sleep 0.4; kill -STOP $pid; sleep 0.1; kill -CONT $pid; wait $pid
}
python_work() {
    cat > t.py <<'P'
import asyncio, concurrent.futures, ctypes, fcntl, mmap, multiprocessing, os, select, shutil, signal, socket, sqlite3, ssl, subprocess, sys, tempfile, threading, time, hashlib, pty, resource, zipfile
def square(x): return x * x
async def main():
    server = await asyncio.start_server(lambda r, w: (w.write(b'hi'), w.close()), '127.0.0.1', 0)
    port = server.sockets[0].getsockname()[1]
    r, w = await asyncio.open_connection('127.0.0.1', port)
    assert await r.read() == b'hi'
    w.close()
    p = await asyncio.create_subprocess_exec('echo', 'sub', stdout=subprocess.PIPE)
    assert (await p.communicate())[0] == b'sub\n'
    u = await asyncio.start_unix_server(lambda r, w: w.close(), 's.sock'); u.close()
    await asyncio.get_running_loop().run_in_executor(None, time.sleep, 0.01)
    server.close()
if __name__ == '__main__':
    for method in ('fork', 'spawn', 'forkserver'):
        pool = multiprocessing.get_context(method).Pool(2)
        assert pool.map(square, range(9)) == [x * x for x in range(9)]
        # Not terminate(): under gVisor that waits for ever after spawn, with a filter or without one.
        pool.close(); pool.join()
    q = multiprocessing.Queue(); q.put(1); assert q.get(timeout=5) == 1
    from multiprocessing import shared_memory
    s = shared_memory.SharedMemory(create=True, size=64); s.close(); s.unlink()
    with concurrent.futures.ThreadPoolExecutor(8) as e: assert sum(e.map(square, range(9))) == 204
    asyncio.run(main())
    assert subprocess.run(['cat'], input=b'x', capture_output=True, start_new_session=True).stdout == b'x'
    assert subprocess.run('exit 3', shell=True, preexec_fn=os.setpgrp).returncode == 3
    c = sqlite3.connect('t.db'); c.execute('pragma synchronous=full'); c.execute('create table t(a)'); c.commit(); c.close()
    with tempfile.TemporaryDirectory(dir='.') as d: shutil.copytree('.', d + '/c', ignore=lambda *a: ['tmp'] + [n for n in os.listdir('.') if n.startswith('tmp') or n.endswith('.sock')]); os.sync()
    assert socket.getaddrinfo('localhost', 80); socket.if_nameindex()
    m, sl = pty.openpty(); os.ttyname(sl); os.sendfile; os.getrandom(8); os.eventfd(0); os.memfd_create('x'); os.sched_getaffinity(0); os.posix_fadvise(sl, 0, 0, 0) if False else None
    import platform; platform.platform(); assert hashlib.sha256(b'').hexdigest().startswith('e3b0'); ssl.create_default_context()
    print('python done')
P
    python3 t.py | grep -x 'python done'
    python3 -m venv --without-pip v && ./v/bin/python -c 'import sys; print(sys.prefix)'
    if python3 -m ensurepip --version >/dev/null 2>&1; then python3 -m venv full; ./full/bin/pip --version; fi
    python3 -m http.server 18080 --bind 127.0.0.1 >/dev/null 2>&1 & local pid=$!
    for _ in $(seq 50); do curl -sf http://127.0.0.1:18080/ >/dev/null && break; sleep 0.1; done
    curl -sf http://127.0.0.1:18080/t.py | cmp - t.py; kill $pid
}
node_work() {
    cat > t.js <<'J'
const assert = require('assert'), fs = require('fs'), os = require('os'), cp = require('child_process'), net = require('net'), { Worker } = require('worker_threads');
os.networkInterfaces(); os.cpus(); os.setPriority(5);
fs.writeFileSync('a', 'x'); fs.fsyncSync(fs.openSync('a', 'r+')); fs.cpSync('a', 'b'); fs.watch('.', () => {}).close(); fs.copyFileSync('a', 'c', fs.constants.COPYFILE_FICLONE);
assert.equal(cp.execSync('echo hi').toString(), 'hi\n');
const w = new Worker('require("worker_threads").parentPort.postMessage(1)', { eval: true });
w.on('message', async () => {
  const s = net.createServer(c => c.end('hi')).listen(0, '127.0.0.1', () => net.connect(s.address().port).on('data', async d => {
    s.close(); await fs.promises.readFile('a'); require('crypto').pbkdf2('a', 'b', 1, 8, 'sha256', () => require('zlib').gzip('x', () => console.log('node done')));
  }));
});
J
    node t.js | grep -x 'node done'
    if command -v npm; then npm --version; mkdir p; cd p; npm init -y >/dev/null; npm run env >/dev/null; fi
}
java_work() {
    cat > T.java <<'J'
import java.nio.file.*; import java.nio.channels.*; import java.util.concurrent.*; import java.net.*;
public class T { public static void main(String[] a) throws Exception {
  var p = Executors.newFixedThreadPool(8); p.submit(() -> 1).get(); p.shutdown();
  for (var e = NetworkInterface.getNetworkInterfaces(); e.hasMoreElements();) e.nextElement();
  try (var s = ServerSocketChannel.open(); var sel = Selector.open()) { s.bind(new InetSocketAddress("127.0.0.1", 0)); s.configureBlocking(false); s.register(sel, SelectionKey.OP_ACCEPT); sel.selectNow(); }
  try (var c = FileChannel.open(Path.of("f"), StandardOpenOption.CREATE, StandardOpenOption.WRITE)) { c.write(java.nio.ByteBuffer.wrap("x".getBytes())); c.force(true); }
  var w = FileSystems.getDefault().newWatchService(); Path.of(".").register(w, StandardWatchEventKinds.ENTRY_CREATE); w.close();
  if (new ProcessBuilder("true").start().waitFor() != 0) throw new Error();
  System.gc(); System.out.println("java done"); } }
J
    java -Xmx128m T.java | grep -x 'java done'
}
tmux_work() {
    export TERM=xterm; local s="$PWD/sock"
    tmux -S "$s" -f /dev/null new-session -d -x 80 -y 24 "echo in-tmux > out; exec sh"
    for _ in $(seq 50); do [ -s out ] && break; sleep 0.1; done
    tmux -S "$s" send-keys 'echo typed > typed' Enter; for _ in $(seq 50); do [ -s typed ] && break; sleep 0.1; done
    tmux -S "$s" resize-window -x 100 -y 30; tmux -S "$s" kill-server; grep -x in-tmux out; grep -x typed typed
}
ssh_work() {
    ssh-keygen -q -t ed25519 -N '' -f host; ssh-keygen -q -t ed25519 -N '' -f user; cp user.pub keys
    printf 'Port 12222\nListenAddress 127.0.0.1\nHostKey %s\nAuthorizedKeysFile %s\nPidFile none\nUsePAM no\nStrictModes no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\nSubsystem sftp internal-sftp\n' "$PWD/host" "$PWD/keys" > conf
    "$(command -v sshd || echo /usr/sbin/sshd)" -D -e -f "$PWD/conf" 2> sshd.log & local pid=$!
    local log=$PWD/sshd.log; trap "kill $pid; sed s/^/sshd:/ $log" EXIT
    local o=(-i user -o IdentitiesOnly=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR -o ConnectTimeout=5)
    for _ in $(seq 50); do ssh-keyscan -p 12222 -T 1 127.0.0.1 2>/dev/null | grep -q ed25519 && break; sleep 0.1; done
    ssh "${o[@]}" -p 12222 "$(id -un)@127.0.0.1" 'echo login' | grep -x login
    ssh -tt "${o[@]}" -p 12222 "$(id -un)@127.0.0.1" 'test -t 0 && echo has-pty' | tr -d '\r' | grep -x has-pty
    echo data > data; printf 'put data %s/received\n' "$PWD" | sftp -q -b - "${o[@]}" -P 12222 "$(id -un)@127.0.0.1"; cmp data received
    scp -q "${o[@]}" -P 12222 data "$(id -un)@127.0.0.1:$PWD/again"; cmp data again
    git init -q --bare r.git; git init -q g; cd g; git -c user.name=t -c user.email=t@t.test commit -q --allow-empty -m m
    GIT_SSH_COMMAND="ssh -i $PWD/../user -o IdentitiesOnly=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR -p 12222" git push -q "ssh://$(id -un)@127.0.0.1$PWD/../r.git" HEAD:main
}
claude_work() { claude --version; }
codex_work() { codex --version; }

export PATH=$PATH:/usr/sbin:/sbin:/opt/agents
item git git git_work
item sqlite sqlite3 sqlite_work
item files tar files
item compile gcc compile
item calls gcc cprobe
item restart gcc restarted
item python python3 python_work
item node node node_work
item java java java_work
item tmux tmux tmux_work
item sshd sshd ssh_work
item claude claude claude_work
item codex codex codex_work
cd / && rm -rf "$work"
exit $failed
