/// Small Python programs that try to get somewhere, and what they try to reach.
public enum Probes {
    /// argv: ports. Listens on every address, TCP answers `open`, UDP echoes. Prints `ready`.
    public static let everywhere = """
        import socket, sys, threading, time
        def family(kind, f, a, p):
            s = socket.socket(f, kind); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if f == socket.AF_INET6: s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            s.bind((a, p)); return s
        def tcp(f, a, p):
            s = family(socket.SOCK_STREAM, f, a, p); s.listen(64)
            while True: c, _ = s.accept(); c.sendall(b'open'); c.close()
        def udp(f, a, p):
            s = family(socket.SOCK_DGRAM, f, a, p)
            while True: d, who = s.recvfrom(2048); s.sendto(d, who)
        def quiet(*given):
            try: given[0](*given[1:])
            except OSError: pass
        for p in map(int, sys.argv[1:]):
            for f, a in (socket.AF_INET, '0.0.0.0'), (socket.AF_INET6, '::'):
                for way in tcp, udp: threading.Thread(target=quiet, args=(way, f, a, p), daemon=True).start()
        time.sleep(0.3); print('ready', flush=True); sys.stdin.read()
        """

    /// argv: addresses with a port, `A:P` or `[A]:P`, of something that says `open` to whoever connects. Tries each with every
    /// client that is there, told to use no proxy. Prints `client address` for those that got an answer.
    public static let clients = """
        import concurrent.futures, os, re, shutil, subprocess, sys
        quiet = {n: v for n, v in os.environ.items() if not re.fullmatch('(?i)(https?|all|no|ftp)_proxy|NODE_USE_ENV_PROXY', n)}
        python = 'import sys, urllib.request as r\\ntry: r.build_opener(r.ProxyHandler({})).open(sys.argv[1], timeout=3)\\nexcept Exception as e: print(type(e).__name__)'
        ways = {
            'curl': lambda a: ['curl', '-sS', '-m', '3', '--http0.9', '--noproxy', '*', 'http://' + a],
            'curl-tls': lambda a: ['curl', '-vsSk', '-m', '3', '--noproxy', '*', 'https://' + a],
            'wget': lambda a: ['wget', '-dqO-', '--tries=1', '-T', '3', '--no-proxy', 'http://' + a],
            'git': lambda a: ['git', '-c', 'http.proxy=', 'ls-remote', 'http://' + a + '/x.git'],
            'python3': lambda a: ['python3', '-c', python, 'http://' + a],
            'bash': lambda a: ['bash', '-c', 'exec 3<>/dev/tcp/"$0"/"$1"; timeout 3 head -c 4 <&3', *a.rsplit(':', 1)],
            'nc': lambda a: ['nc', '-w', '3', *a.replace('[', '').replace(']', '').rsplit(':', 1)],
            'socat': lambda a: ['socat', '-T3', '-', 'TCP:' + a + ',connect-timeout=3'],
            'openssl': lambda a: ['timeout', '3', 'openssl', 's_client', '-connect', a],
            'node': lambda a: ['node', '-e', 'fetch("http://' + a + '").catch(e => { console.log(e.cause); process.exit(1) })'],
            'perl': lambda a: ['perl', '-MIO::Socket::IP', '-e', 'my $s = IO::Socket::IP->new(PeerAddr => shift, Timeout => 3) or exit 1; print <$s>', a],
        }
        # What each of them says of an answer that is no HTTP and no TLS, as against no connection.
        signs = re.compile(b'(?m)^open|Connected to|wrong version|bad status|BadStatusLine|ConnectionResetError|HTTPParserError|HTTP/0.9|CONNECTED|connected\\.')
        def attempt(name, address):
            try: done = subprocess.run(ways[name](address), env=quiet, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=10)
            except subprocess.TimeoutExpired: return
            if signs.search(done.stdout): return name + ' ' + address
        tries = [(n, a) for n in ways if shutil.which(n.split('-')[0]) for a in sys.argv[1:]]
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            for found in pool.map(lambda t: attempt(*t), tries):
                if found: print(found)
        """

    /// argv: `tcp:A:P`, `udp:A:P`, `tcp6:A:P`, `udp6:A:P`, `icmp:A`, `dns:NAME@SERVER`. A may be a name. Prints the ones
    /// that somebody answered, in order, one a line. Bounded to three seconds each, all at once.
    public static let reach = """
        import os, socket, struct, sys, threading
        passed = []
        def query(name):
            labels = b''.join(bytes([len(l)]) + l for l in name.encode().split(b'.'))
            return b'\\x12\\x34\\x01\\x00\\x00\\x01\\x00\\x00\\x00\\x00\\x00\\x00' + labels + b'\\x00\\x00\\x01\\x00\\x01'
        def attempt(text):
            kind, _, rest = text.partition(':')
            try:
                if kind == 'icmp':
                    try: s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
                    except PermissionError: s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP)
                    s.settimeout(2)
                    body = struct.pack('!BBHHH', 8, 0, 0, 7, 7)
                    total = sum(struct.unpack('!4H', body)); total = (total >> 16) + (total & 0xffff)
                    s.sendto(struct.pack('!BBHHH', 8, 0, ~total & 0xffff, 7, 7), (rest, 0))
                    answer = s.recv(2048)
                    if answer[0] == 0 or answer[20] == 0: passed.append(text)
                    return
                if kind == 'dns':
                    name, _, server = rest.partition('@')
                    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(2)
                    s.sendto(query(name), (server, 53)); answer = s.recv(2048)
                    if answer[3] & 15 == 0 and answer[7] > 0: passed.append(text)
                    return
                host, _, port = rest.rpartition(':')
                family = socket.AF_INET6 if kind.endswith('6') else socket.AF_INET
                s = socket.socket(family, socket.SOCK_DGRAM if kind.startswith('udp') else socket.SOCK_STREAM)
                s.settimeout(3)
                s.connect(socket.getaddrinfo(host, int(port), family)[0][4])
                s.send(b'probe')
                if s.recv(100): passed.append(text)
            except OSError: pass
        ts = [threading.Thread(target=attempt, args=(a,)) for a in sys.argv[1:]]
        for t in ts: t.start()
        for t in ts: t.join()
        print('\\n'.join(a for a in sys.argv[1:] if a in passed))
        """
}
