import AiboxNetwork

/// What the daemon asks of the namespace holder: one packet, one request.
///
/// Text, because it is short, rare and easy to read in a trace: `7 dial 10.200.1.2:2222 5000`.
struct HolderRequest: Sendable, Equatable {
    enum Action: Sendable, Equatable {
        /// A listening TCP socket in the gateway's namespace.
        case listen(IPv4, UInt16)
        /// A bound UDP socket there.
        case bind(IPv4, UInt16)
        /// A connected TCP socket from there; given up after so many milliseconds.
        case dial(IPv4, UInt16, milliseconds: Int32)
        /// Starts the resolver in the gateway's namespace; one that runs is ended first. Its configuration and the pipe for
        /// its log travel beside the text; a process descriptor comes back.
        case resolver(ResolverProgram)
        /// Replaces the packet filter by one with these doors. The rules are the holder's own: no text is loaded that comes
        /// from anywhere else.
        case filter(OpenPorts)
        /// Gives the sandbox's end its address and route again.
        case readdress
        /// Takes the cable down; `repair` alone brings it back.
        case cut
        /// Loads the filter and the kernel's settings anew, sees that all is as it should be, and connects the cable again.
        case repair
        /// End.
        case exit
    }

    var id: UInt32
    var action: Action

    /// Bytes of one packet, at most.
    static let limit = 16 << 10

    var bytes: [UInt8] {
        let words: String
        switch action {
        case .listen(let address, let port): words = "listen \(address):\(port)"
        case .bind(let address, let port): words = "bind \(address):\(port)"
        case .dial(let address, let port, let limit): words = "dial \(address):\(port) \(limit)"
        case .resolver(let program): words = "resolver \(program.rawValue)"
        case .filter(let ports): words = "filter " + ports.words
        case .readdress: words = "readdress"
        case .cut: words = "cut"
        case .repair: words = "repair"
        case .exit: words = "exit"
        }
        return Array("\(id) \(words)".utf8)
    }

    init(id: UInt32, action: Action) {
        self.id = id
        self.action = action
    }

    /// Nil unless the packet is exactly a request.
    init?(_ packet: some Collection<UInt8>) {
        guard packet.count <= Self.limit, let text = String(validating: packet, as: UTF8.self) else { return nil }
        let words = text.split(separator: " ", omittingEmptySubsequences: false)
        guard words.count >= 2, let id = UInt32(words[0]) else { return nil }
        self.id = id
        switch (words[1], words.count) {
        case ("listen", 3):
            guard let (address, port) = Self.endpoint(words[2]) else { return nil }
            action = .listen(address, port)
        case ("bind", 3):
            guard let (address, port) = Self.endpoint(words[2]) else { return nil }
            action = .bind(address, port)
        case ("dial", 4):
            guard let (address, port) = Self.endpoint(words[2]), let limit = Int32(words[3]), 1...60_000 ~= limit else {
                return nil
            }
            action = .dial(address, port, milliseconds: limit)
        case ("resolver", 3):
            guard let program = ResolverProgram(rawValue: String(words[2])) else { return nil }
            action = .resolver(program)
        case ("filter", 5):
            guard let ports = OpenPorts(words[2...]) else { return nil }
            action = .filter(ports)
        case ("readdress", 2): action = .readdress
        case ("cut", 2): action = .cut
        case ("repair", 2): action = .repair
        case ("exit", 2): action = .exit
        default: return nil
        }
    }

    private static func endpoint(_ text: Substring) -> (IPv4, UInt16)? {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, let address = IPv4(parts[0]), let port = UInt16(parts[1]), port > 0 else { return nil }
        return (address, port)
    }
}

/// What the holder answers; a socket travels beside the text.
struct HolderReply: Sendable, Equatable {
    enum Outcome: Sendable, Equatable {
        /// The namespaces stand; the process with this id rests in the sandbox's. The first message, under id 0.
        case ready(restingPid: Int32)
        case done
        case failed(what: String, why: String)
        /// Nobody asked: the namespace is not as it was made, and the cable is down. Under id 0.
        case drift(String)
        /// Nobody asked: the filter dropped packets of the sandbox since the last time. Under id 0.
        case dropped([DroppedPackets])
    }

    var id: UInt32
    var outcome: Outcome

    var bytes: [UInt8] {
        switch outcome {
        case .ready(let pid): Array("\(id) ready \(pid)".utf8)
        case .done: Array("\(id) done".utf8)
        case .failed(let what, let why): Array("\(id) failed\n\(Self.line(what))\n\(why)".utf8.prefix(8192))
        case .dropped(let packets):
            Array("\(id) dropped \(packets.map { "\($0.counter)=\($0.count)" }.joined(separator: ","))".utf8)
        case .drift(let findings): Array("\(id) drift\n\(findings)".utf8.prefix(8192))
        }
    }

    init(id: UInt32, outcome: Outcome) {
        self.id = id
        self.outcome = outcome
    }

    init?(_ packet: some Collection<UInt8>) {
        let text = String(decoding: packet, as: UTF8.self)
        let lines = text.split(separator: "\n", maxSplits: 2, omittingEmptySubsequences: false)
        let words = lines[0].split(separator: " ", omittingEmptySubsequences: false)
        guard words.count >= 2, let id = UInt32(words[0]) else { return nil }
        self.id = id
        switch (words[1], words.count, lines.count) {
        case ("ready", 3, 1):
            guard let pid = Int32(words[2]), pid > 1 else { return nil }
            outcome = .ready(restingPid: pid)
        case ("done", 2, 1): outcome = .done
        case ("dropped", 3, 1):
            guard let packets = DroppedPackets.list(words[2]) else { return nil }
            outcome = .dropped(packets)
        case ("drift", 2, 2...): outcome = .drift(lines.dropFirst().joined(separator: "\n"))
        case ("failed", 2, 3): outcome = .failed(what: String(lines[1]), why: String(lines[2]))
        default: return nil
        }
    }

    private static func line(_ text: String) -> String { text.replacing("\n", with: " ") }
}
