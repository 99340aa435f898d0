/// Small Python programs: the far ends of the tests. Each prints `ready` once it serves.
enum Scripts {
    /// TCP on 10.200.1.2:2222. The first byte of a connection says what to do with it:
    /// `E` echo; `S` send a megabyte, end that direction, then count what still comes; `H` never read; `T` send argv[1].
    static let sandboxServer = """
        import socket, sys, threading, time
        def serve(c):
            kind = c.recv(1)
            if kind == b'E':
                while (d := c.recv(1 << 16)): c.sendall(d)
            elif kind == b'S':
                c.sendall(b'x' * (1 << 20)); c.shutdown(socket.SHUT_WR)
                n = 0
                while (d := c.recv(1 << 16)): n += len(d)
                print('received', n, flush=True)
            elif kind == b'H': time.sleep(60)
            elif kind == b'T': c.sendall(sys.argv[1].encode())
            c.close()
        s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind(('10.200.1.2', 2222)); s.listen(256); print('ready', flush=True)
        while True: threading.Thread(target=serve, args=(s.accept()[0],), daemon=True).start()
        """

    /// argv: port, connections, bytes. Echoes random bytes through each connection at once; prints how many came back unchanged.
    static let echoClient = """
        import os, socket, sys, threading
        port, count, size = map(int, sys.argv[1:4])
        good = []
        def one():
            c = socket.create_connection(('127.0.0.1', port), 20)
            data = os.urandom(size)
            def send(): c.sendall(b'E' + data); c.shutdown(socket.SHUT_WR)
            t = threading.Thread(target=send); t.start()
            got = bytearray()
            while (d := c.recv(1 << 16)): got += d
            t.join()
            if got == data: good.append(1)
        ts = [threading.Thread(target=one) for _ in range(count)]
        for t in ts: t.start()
        for t in ts: t.join()
        print(len(good))
        """

    /// argv: port. Reads to the end first, then sends half a megabyte: the other direction must still be open.
    static let lateTalker = """
        import socket, sys
        c = socket.create_connection(('127.0.0.1', int(sys.argv[1])), 20)
        c.sendall(b'S'); n = 0
        while (d := c.recv(1 << 16)): n += len(d)
        c.sendall(b'y' * (1 << 19)); c.close(); print(n)
        """

    /// argv: port. Sends to a sandbox that does not read until nothing more is taken for a second; prints how much was.
    static let pusher = """
        import select, socket, sys
        c = socket.create_connection(('127.0.0.1', int(sys.argv[1])), 20)
        c.sendall(b'H'); c.setblocking(False); n = 0
        while n < 1 << 28 and select.select([], [c], [], 1)[1]:
            try: n += c.send(b'z' * (1 << 16))
            except BlockingIOError: pass
        print(n)
        """

    /// argv: port, what to send. Prints what comes back, `closed` if nothing does.
    static let ask = """
        import socket, sys
        c = socket.create_connection(('127.0.0.1', int(sys.argv[1])), 20)
        c.sendall(sys.argv[2].encode()); got = b''
        try:
            while (d := c.recv(1 << 16)): got += d
        except ConnectionError: pass
        print(got.decode() or 'closed')
        """

    /// argv: ports. Listens on every address, TCP answers `open`, UDP echoes.
    static let everywhere = """
        import socket, sys, threading
        def tcp(p):
            s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); s.bind(('0.0.0.0', p)); s.listen(64)
            while True: c, _ = s.accept(); c.sendall(b'open'); c.close()
        def udp(p):
            s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(('0.0.0.0', p))
            while True: d, a = s.recvfrom(2048); s.sendto(d, a)
        for p in sys.argv[1:]:
            for f in tcp, udp: threading.Thread(target=f, args=(int(p),), daemon=True).start()
        import time; time.sleep(0.2); print('ready', flush=True); time.sleep(600)
        """

    /// argv: `tcp:A:P`, `udp:A:P`, `tcp:A:P@SOURCE`, `icmp:A`, `tcp6:A:P` ... Prints the ones that got an answer.
    static let probe = """
        import socket, struct, sys, threading
        passed = []
        def attempt(text):
            kind, _, rest = text.partition(':')
            rest, _, source = rest.partition('@')
            try:
                if kind == 'icmp':
                    s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP); s.settimeout(1)
                    body = struct.pack('!BBHHH', 8, 0, 0, 7, 7)
                    total = sum(struct.unpack('!4H', body)); total = (total >> 16) + (total & 0xffff)
                    s.sendto(struct.pack('!BBHHH', 8, 0, ~total & 0xffff, 7, 7), (rest, 0))
                    while s.recv(2048)[20] != 0: pass
                else:
                    host, _, port = rest.rpartition(':')
                    family = socket.AF_INET6 if kind.endswith('6') else socket.AF_INET
                    s = socket.socket(family, socket.SOCK_DGRAM if kind.startswith('udp') else socket.SOCK_STREAM)
                    s.settimeout(1)
                    if source: s.bind((source, 0))
                    s.connect(socket.getaddrinfo(host, int(port), family)[0][4])
                    if kind.startswith('udp'): s.send(b'probe')
                    if not s.recv(100): return
                passed.append(text)
            except OSError: pass
        ts = [threading.Thread(target=attempt, args=(a,)) for a in sys.argv[1:]]
        for t in ts: t.start()
        for t in ts: t.join()
        print(' '.join(sorted(passed)))
        """

    /// argv: folder, name. Connects to a unix socket and sends argv[3]; prints what comes back, or why nothing does.
    static let control = """
        import os, socket, sys
        os.chdir(sys.argv[1]); c = socket.socket(socket.AF_UNIX); c.settimeout(5)
        got = b''
        try:
            c.connect(sys.argv[2])
            c.sendall(sys.argv[3].encode().decode('unicode_escape').encode('latin-1'))
            while (d := c.recv(1 << 16)): got += d
        except socket.timeout: got += b'(still open)'
        except OSError as e: got += b'(%s)' % e.strerror.encode()
        print(got.decode())
        """
}
