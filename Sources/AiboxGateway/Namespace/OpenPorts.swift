/// The doors in the packet filter of a sandbox; everything else is shut.
struct OpenPorts: Sendable, Equatable {
    /// Ports of the gateway that the sandbox may open.
    var tcp: [UInt16] = []
    var udp: [UInt16] = []
    /// Ports of the sandbox that the gateway may open.
    var box: [UInt16] = [SandboxLink.sshPort]

    /// `80,443 53 2222`: TCP, UDP, box; `-` for none.
    var words: String { [tcp, udp, box].map(Self.word).joined(separator: " ") }

    init(tcp: [UInt16] = [], udp: [UInt16] = [], box: [UInt16] = [SandboxLink.sshPort]) {
        self.tcp = tcp
        self.udp = udp
        self.box = box
    }

    /// Nil unless there are exactly three words, each a list of ports.
    init?(_ words: some Collection<Substring>) {
        let lists = words.map(Self.ports)
        guard lists.count == 3, let tcp = lists[0], let udp = lists[1], let box = lists[2] else { return nil }
        self.init(tcp: tcp, udp: udp, box: box)
    }

    private static func word(_ ports: [UInt16]) -> String {
        ports.isEmpty ? "-" : ports.map(String.init).joined(separator: ",")
    }

    private static func ports(_ word: Substring) -> [UInt16]? {
        if word == "-" { return [] }
        var ports: [UInt16] = []
        for part in word.split(separator: ",", omittingEmptySubsequences: false) {
            guard let port = UInt16(part), port > 0, String(port) == part else { return nil }
            ports.append(port)
        }
        return ports
    }
}
