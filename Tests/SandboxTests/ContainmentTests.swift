import AiboxSystem
import AiboxTestSupport
import AiboxWire
import Glibc
import Testing

extension Sandboxes {
    /// Promise P1 from inside real sandboxes, against listeners that are really there.
    @Suite("Nothing of the machine, the network or another sandbox is in reach")
    struct ContainmentTests {
        private static let port: UInt16 = geteuid() == 0 ? 24_817 : 24_818

        /// Everything that could be the host, and what networks usually have: red team B01, B03, B05.
        private func targets() throws -> (mine: [String], usual: [String]) {
            let table = try SystemCommandRunner().run(Command("ip", ["-brief", "address"])).text
            let addresses = table.split(separator: "\n").flatMap { $0.split(separator: " ").dropFirst(2) }
                .map { String($0.split(separator: "/")[0]) }
            let port = Self.port
            let mine = addresses.flatMap { address -> [String] in
                let six = address.contains(":") ? "6" : ""
                // A link-local address means nothing without its interface.
                if address.hasPrefix("fe80") { return [] }
                return ["tcp\(six):\(address):\(port)", "udp\(six):\(address):\(port)"]
            }
            let hosts = [
                "10.200.1.1", "10.200.1.3", "10.0.2.2", "10.0.2.3", "10.88.0.1", "10.89.0.1", "169.254.1.1",
                "172.17.0.1",
                "192.168.0.1", "host.containers.internal", "host.docker.internal", "localhost",
            ]
            let ports: [UInt16] = [22, 53, 3000, 5432, 6379, port]
            var usual: [String] = []
            for host in hosts { usual += ports.map { "tcp:\(host):\($0)" } }
            usual +=
                ["tcp:169.254.169.254:80", "udp:169.254.169.254:53", "tcp:192.0.2.1:443", "udp:192.0.2.1:443"]
                + ["icmp:10.200.1.1", "icmp:192.0.2.1", "icmp:10.0.2.2"]
                + ["tcp6:fe80::1%eth0:\(port)", "tcp6:64:ff9b::c000:201:443", "udp6:ff02::1%eth0:53"]
                + ["dns:example.com@10.200.1.1", "dns:example.com@10.0.2.3", "dns:example.com@8.8.8.8"]
                + ["dns:mfrggzdfmztwq2lk.evil.test@10.200.1.1", "dns:mfrggzdfmztwq2lk.evil.test@192.0.2.53"]
            return (mine, usual)
        }

        @Test(
            "no port of the host, no gateway, no name server, no IPv6, no ping",
            arguments: SandboxFixture.Engine.allCases)
        func host(engine: SandboxFixture.Engine) throws {
            let fixture = try SandboxFixture(engine: engine)
            try fixture.start()
            let listener = try LabProcess(
                Command("python3", ["-c", Probes.everywhere, "\(Self.port)"]), ready: "ready")
            defer { listener.stop() }
            let (mine, usual) = try targets()
            let found = try SystemCommandRunner().run(
                fixture.aibox.command(
                    ["shell", "--name", fixture.name, "--", "python3", "-c", Probes.reach] + mine + usual,
                    in: fixture.workspace), timeout: .seconds(60))
            try #require(found.succeeded, "\(found.errorText)")
            #expect(found.text == "", "got through")
            // The control: without aibox the same probe reaches the listener by every address of the host.
            let control = try PlainPodman(fixture).python(Probes.reach, mine)
            #expect(control == Set(mine), "not reached without aibox: \(Set(mine).subtracting(control))")

            // B01: nor does any client that is told to use no proxy.
            let places = mine.filter { $0.hasPrefix("tcp:") && !$0.hasPrefix("tcp:127.") }.map {
                String($0.dropFirst(4))
            }
            try #require(!places.isEmpty, "this machine has no address beside the loopback's")
            let clients = try SystemCommandRunner().run(
                fixture.aibox.command(
                    ["shell", "--name", fixture.name, "--", "python3", "-c", Probes.clients] + places,
                    in: fixture.workspace), timeout: .seconds(60))
            try #require(clients.succeeded, "\(clients.errorText)")
            #expect(clients.text == "", "got through")
            let known = try PlainPodman(fixture).python(Probes.clients, places)
            let names = Set(known.map { $0.split(separator: " ")[0] })
            #expect(
                names.isSuperset(of: ["curl", "curl-tls", "wget", "git", "python3", "bash", "nc", "socat"]), "\(names)")
        }

        @Test(
            "two sandboxes see nothing of each other, nor of each other's gateway",
            arguments: SandboxFixture.Engine.allCases)
        func siblings(engine: SandboxFixture.Engine) throws {
            let first = try SandboxFixture(engine: engine)
            let second = try SandboxFixture(engine: engine)
            try first.start()
            try second.start()
            // A server on all addresses inside the second, left running.
            let serve =
                "python3 -c '\(Self.server)' >/tmp/served 2>&1 </dev/null & for i in $(seq 50); do grep ready /tmp/served && exit; sleep 0.2; done"
            #expect(try second.shell("sh", "-c", serve).text == "ready")
            let own = try second.shell("python3", "-c", Probes.reach, "tcp:10.200.1.2:8000", "tcp:127.0.0.1:8000").text
            #expect(own == "tcp:10.200.1.2:8000\ntcp:127.0.0.1:8000", "the control: the server answers")

            let ports = try [first, second].map { try #require(try $0.status()["ssh_port"]?.wholeNumber) }
            var targets = ["10.200.1.1", "10.200.1.2", "127.0.0.1", "10.0.2.2"].map { "tcp:\($0):8000" }
            for address in ["10.200.1.1", "10.0.2.2", "127.0.0.1"] { targets += ports.map { "tcp:\(address):\($0)" } }
            let found = try SystemCommandRunner().run(
                first.aibox.command(
                    ["shell", "--name", first.name, "--", "python3", "-c", Probes.reach] + targets, in: first.workspace),
                timeout: .seconds(60))
            // Its own sshd, where that has the number that a host's port has, is the sandbox's own.
            let foreign = found.text.split(separator: "\n").filter {
                $0 != "tcp:127.0.0.1:2222" && $0 != "tcp:10.200.1.2:2222"
            }
            #expect(foreign.isEmpty, "got through: \(foreign)")
            // Not even a forwarded port of the one is in reach of the other.
            let forwarded = Self.port + 10
            let opened = try second.aibox.run("port-forward", "8000:\(forwarded)", "--name", second.name)
            #expect(opened.succeeded, "\(opened.errorText)")
            let control = try SystemCommandRunner().run(
                Command("python3", ["-c", Probes.reach, "tcp:127.0.0.1:\(forwarded)"]))
            #expect(control.text == "tcp:127.0.0.1:\(forwarded)", "the control: the host reaches it")
            let reached = try first.shell(
                "python3", "-c", Probes.reach, "tcp:127.0.0.1:\(forwarded)", "tcp:10.200.1.1:\(forwarded)",
                "tcp:10.0.2.2:\(forwarded)")
            #expect(reached.text == "")
            // The control: networks of podman's are no walls between containers. Without root they need what few machines have.
            if geteuid() == 0 { #expect(try PlainPodman(first).crossesNetworks(Self.server, Probes.reach)) }
        }

        @Test("nothing of the person's desktop is in reach", arguments: SandboxFixture.Engine.allCases)
        func desktop(engine: SandboxFixture.Engine) throws {
            // A desktop's sockets: one with a path, one in the abstract namespace, as X11 and D-Bus have them.
            let folder = try TemporaryFolder(prefix: "aibox-desktop")
            let name = "aibox-desktop-\(getpid())-\(engine.rawValue)"
            let listener = try LabProcess(
                Command("python3", ["-c", Self.desktop, folder.path + "/bus", name]), ready: "ready")
            defer { listener.stop() }
            let fixture = try SandboxFixture(
                engine: engine,
                settings: [
                    "DISPLAY": ":0", "WAYLAND_DISPLAY": "wayland-0", "SSH_AUTH_SOCK": folder.path + "/bus",
                    "DBUS_SESSION_BUS_ADDRESS": "unix:path=\(folder.path)/bus", "BROWSER": "/usr/bin/true",
                    "XAUTHORITY": folder.path + "/xauth",
                ])
            try fixture.start()
            let probe = Self.reachDesktop
            let found = try fixture.shell("python3", "-c", probe, folder.path + "/bus", name)
            #expect(found.succeeded && found.text == "", "in reach: \(found.text) \(found.errorText)")
            let control = try PlainPodman(fixture).python(probe, [folder.path + "/bus", name])
            #expect(control.contains("abstract"), "the control")
        }

        /// argv: path, name of an abstract socket. Hangs up on whoever connects to either.
        private static let desktop = """
            import socket, sys, threading
            def serve(place):
                s = socket.socket(socket.AF_UNIX); s.bind(place); s.listen(8)
                while True: s.accept()[0].close()
            for place in sys.argv[1], "\\0" + sys.argv[2]: threading.Thread(target=serve, args=(place,), daemon=True).start()
            print("ready", flush=True); sys.stdin.read()
            """

        /// argv: path, name of an abstract socket. Prints what of a desktop is there.
        private static let reachDesktop = """
            import os, socket, sys
            for name in "DISPLAY WAYLAND_DISPLAY SSH_AUTH_SOCK DBUS_SESSION_BUS_ADDRESS BROWSER XAUTHORITY".split():
                if name in os.environ: print(name)
            for name, place in ("path", sys.argv[1]), ("abstract", "\\0" + sys.argv[2]):
                try: socket.socket(socket.AF_UNIX).connect(place); print(name)
                except OSError: pass
            for place in "/tmp/.X11-unix", "/run/dbus", "/run/user":
                if os.path.isdir(place) and os.listdir(place): print(place, os.listdir(place))
            """

        private static let server = """
            import socket
            s = socket.socket(); s.bind(("0.0.0.0", 8000)); s.listen(8); print("ready", flush=True)
            while True: c, _ = s.accept(); c.sendall(b"open"); c.close()
            """

        @Test("raw frames and packets get nowhere", arguments: SandboxFixture.Engine.allCases)
        func raw(engine: SandboxFixture.Engine) throws {
            let fixture = try SandboxFixture(engine: engine)
            try fixture.start()
            let attempt = """
                import socket
                for name, kind in {'packet': (17, 3, 768), 'raw': (2, 3, 255), 'icmp': (2, 3, 1), 'raw6': (10, 3, 255)}.items():
                    try: socket.socket(*kind); print(name)
                    except OSError: pass
                """
            #expect(try fixture.shell("python3", "-c", attempt).text == "")
            let change =
                "ip link set eth0 down; ip address add 10.200.1.9/24 dev eth0; ip route add 192.0.2.0/24 via 10.200.1.1"
            #expect(
                try fixture.shell("sh", "-c", "(\(change)) 2>/dev/null; ip -brief address show eth0").text.contains(
                    "10.200.1.9") == false)
        }
    }
}
