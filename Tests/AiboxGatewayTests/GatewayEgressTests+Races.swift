import AiboxContainer
import AiboxNetwork
import AiboxSystem
import AiboxTestSupport
import AiboxWire
import Glibc
import Testing

// One after the other with the tests of the way out: they share the origin.
extension GatewayEgressTests {
    /// What only goes wrong at the wrong moment, twenty times each.
    @Suite("Gateway races")
    struct RaceTests {
        private static let rounds = 20

        /// argv: NAME=VALUE, seconds. Waits for the process that rests in a sandbox's namespace with this in its environment, enters the
        /// namespace at once and pings the gateway without a pause until its input ends, and then, so many seconds at most, until
        /// one is answered. Prints `ready`; at the end how many pings were sent and how many were answered.
        private static let firstPackets = """
            import ctypes, os, select, socket, struct, sys, time
            mark = sys.argv[1].encode()
            libc = ctypes.CDLL(None, use_errno=True)
            def find():
                for name in os.listdir('/proc'):
                    if not name.isdigit(): continue
                    try:
                        if open('/proc/%s/comm' % name).read() != 'aibox-box\\n': continue
                        if mark in open('/proc/%s/environ' % name, 'rb').read().split(b'\\0'): return int(name)
                    except OSError: pass
            print('ready', flush=True)
            box = None
            while not box and not select.select([0], [], [], 0)[0]: box = find()
            if not box: print(0, 0, 'nobody'); sys.exit()
            kinds = ['net'] if os.geteuid() == 0 else ['user', 'net']
            places = [os.open('/proc/%d/ns/%s' % (box, kind), os.O_RDONLY) for kind in kinds]
            for place in places:
                if libc.setns(place, 0): print(0, 0, os.strerror(ctypes.get_errno())); sys.exit()
            link = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP); link.setblocking(False)
            head = struct.pack('!BBHHH', 8, 0, 0, 7, 7); total = sum(struct.unpack('!4H', head)); total = (total >> 16) + (total & 0xffff)
            ping = struct.pack('!BBHHH', 8, 0, ~total & 0xffff, 7, 7)
            sent, kinds = 0, {}
            end = None
            while end is None or time.monotonic() < end and not kinds.get(0):
                if end is None and select.select([0], [], [], 0)[0]: end = time.monotonic() + float(sys.argv[2])
                try: link.sendto(ping, ('10.200.1.1', 0)); sent += 1
                except OSError: pass
                try:
                    while True:
                        kind = link.recv(2048)[20]; kinds[kind] = kinds.get(kind, 0) + 1
                except OSError: pass
            print(sent, kinds.get(0, 0), kinds)
            """

        @Test("twenty starts: the very first packets of a sandbox meet the filter")
        func firstPackets() throws {
            let own = try #require(Path.real("/proc/self/exe").map { Path.parent($0) + "/aibox-gateway" })
            let place = try TemporaryFolder(prefix: "aibox-gateway")
            for round in 0..<Self.rounds {
                let mark = "AIBOX_TEST_MARK=\(UInt64.random(in: .min ... .max))"
                let (input, output) = (try Pipe(), try Pipe())
                let isLast = round == Self.rounds - 1
                let racer = try ChildProcess.start(
                    Command("/usr/bin/python3", ["-c", Self.firstPackets, mark, isLast ? "20" : "0"]),
                    descriptors: [input.read.number, output.write.number, STDERR_FILENO])
                output.write.close()
                defer {
                    racer.send(SIGKILL)
                    _ = try? racer.wait()
                }
                #expect(try output.read.readLine() == "ready")
                let program = try place.write("marked", "#!/bin/sh\nexec env \(mark) \(own) \"$@\"\n")
                chmod(program, 0o755)
                let gateway = try LiveGateway(executable: program)
                usleep(50_000)
                if isLast {
                    // The control: the same pings without the filter.
                    try gateway.holdGuard()
                    _ = try gateway.run(gateway.inGateway("nft", ["flush", "ruleset"]))
                }
                input.write.close()
                let words = try output.read.readLine().split(separator: " ")
                let counts = words.prefix(2).compactMap { Int($0) }
                try #require(counts.count == 2 && counts[0] > 0, "round \(round): \(words)")
                #expect((counts[1] > 0) == isLast, "round \(round): \(words)")
            }
        }

        /// argv: HTTP port, workers. Every worker asks for allowed.test over and over, every other one with a new connection each
        /// time. Prints `ready`; for each line of its input: `no` counts what is allowed of requests that begin from now on, until
        /// every worker has finished two more, and prints that; `yes` goes on until one is allowed, and prints 1.
        private static let workers = """
            import http.client, queue, sys, threading, time
            port, count = int(sys.argv[1]), int(sys.argv[2])
            generation = 0; lock = threading.Lock(); done = {}; allowed = {}
            def work(number):
                link = None
                while True:
                    begun = generation
                    try:
                        if link is None: link = http.client.HTTPConnection('10.200.1.1', 3128, timeout=20)
                        link.request('GET', 'http://allowed.test:%d/' % port, headers={'Host': 'allowed.test:%d' % port})
                        answer = link.getresponse(); answer.read(); status = answer.status
                    except (OSError, http.client.HTTPException): status = 0; link = None
                    if link and (status != 200 or number % 2): link.close(); link = None
                    with lock:
                        if status == 200: allowed[begun] = allowed.get(begun, 0) + 1
                        if status: done.setdefault(begun, {})[number] = done.setdefault(begun, {}).get(number, 0) + 1
            for i in range(count): threading.Thread(target=work, args=(i,), daemon=True).start()
            print('ready', flush=True)
            for line in sys.stdin:
                generation += 1
                while True:
                    time.sleep(0.005)
                    with lock:
                        mine = done.get(generation, {})
                        if line.strip() == 'yes' and allowed.get(generation): print(1, flush=True); break
                        if line.strip() == 'no' and len(mine) == count and min(mine.values()) > 1:
                            print(allowed.get(generation, 0), flush=True); break
            """

        @Test("twenty tightenings and loosenings under load: none that begins after the word gets through")
        func tightenings() throws {
            let origin = try Origin()
            let gateway = try LiveGateway(plan: Origin.plan())
            try gateway.client.serving()
            let input = try Pipe()
            let service = try gateway.keep(
                gateway.inBox("/usr/bin/python3", ["-c", Self.workers, "\(Origin.http)", "24"]), input: input.read)
            let say = { (word: String) throws -> String in
                try File.writeAll(Array((word + "\n").utf8), to: input.write, "the workers' input")
                return try service.nextLine()
            }
            for round in 0..<Self.rounds {
                #expect(try say("yes") == "1", "the control")
                try gateway.client.change(NetworkChange(.deny, host: "allowed.test", seconds: nil))
                let reached = origin.requests.count
                #expect(try say("no") == "0", "round \(round)")
                // What Squid had in hand at that moment may have arrived; nothing of what began since.
                #expect(origin.requests.count - reached <= 24, "round \(round)")
                try gateway.client.change(NetworkChange(.allow, host: "allowed.test", seconds: nil))
            }
        }

        @Test("twenty gateways killed while requests run: nothing passes afterwards, and the next one begins clean")
        func restarts() throws {
            let origin = try Origin()
            let folder = try TemporaryFolder(prefix: "aibox-gateway")
            var settings = LiveGateway.settings(runFolder: folder.path + "/run")
            settings.network = Origin.plan().json
            settings.decisions = try LiveGateway.decisions()
            let user = geteuid() == 0 ? [] : ["--user", "--preserve-credentials"]
            for round in 0..<Self.rounds {
                let gateway = try GatewayProcess.start(settings, logFile: folder.path + "/log")
                try gateway.client.serving()
                // It stays in the namespace, as a container does, when everything else is gone.
                let output = try Pipe()
                let asking = try ChildProcess.start(
                    Command(
                        "nsenter",
                        user + [
                            "--target", "\(gateway.ready.holderPid)", "--net", "/usr/bin/python3", "-c", Self.asking,
                            "\(Origin.http)",
                        ]), descriptors: [-1, output.write.number, STDERR_FILENO])
                output.write.close()
                defer {
                    asking.send(SIGKILL)
                    _ = try? asking.wait()
                }
                #expect(try output.read.readLine() == "200", "the control")
                usleep(UInt32.random(in: 0..<20_000))
                kill(gateway.ready.pid, SIGKILL)
                #expect(eventually { !ProcessTable.isAlive(gateway.ready.holderPid) })
                // What was on its way by then arrives, and is counted there a moment later.
                #expect(try output.read.readLine() == "none", "round \(round)")
                usleep(200_000)
                let reached = origin.requests.count
                // Requests go on; none of them arrives.
                for _ in 0..<3 { #expect(try output.read.readLine() == "none", "round \(round)") }
                #expect(origin.requests.count == reached, "round \(round)")
                // The kernel takes a moment to let go of what a killed process held.
                #expect(eventually { (try? GatewayRemains.clear(settings.runFolder)) == .absent })
                #expect(SquidPlace.sharedMemory(runFolder: settings.runFolder) == [])
            }
        }

        /// argv: HTTP port. Asks for allowed.test without end; prints `200` once, and from the first failure on `none` for each that
        /// failed, or what came instead.
        private static let asking = """
            import socket, sys
            port = int(sys.argv[1]); told = False
            def ask():
                try:
                    with socket.create_connection(('10.200.1.1', 3128), 1) as link:
                        link.settimeout(1)
                        link.sendall(b'GET http://allowed.test:%d/ HTTP/1.1\\r\\nHost: allowed.test:%d\\r\\nConnection: close\\r\\n\\r\\n' % (port, port))
                        return (link.recv(4096).split() or [0, b'none'])[1].decode()
                except OSError: return 'none'
            while (status := ask()) == '200':
                if not told: print(status, flush=True); told = True
            while True: print(status, flush=True); status = ask()
            """
    }
}
