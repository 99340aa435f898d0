public import AiboxSystem
import CLinux

/// A network namespace that exists as long as this object.
///
/// Held by a process of its own. For an ordinary user it lies in a user namespace in which that user is
/// root; for root it is a plain one. Either way nothing on the machine's own network changes.
public final class NetworkNamespace: Sendable {
    private let holder: ChildProcess
    private let leash: Descriptor
    private let isOwnUserNamespace: Bool

    /// - Parameter user: a user namespace as well, even for root.
    public convenience init(user: Bool = !UserIdentity.current.isRoot) throws(AiboxError) {
        let flags = user ? ["--user", "--map-root-user", "--net", "--mount"] : ["--net", "--mount"]
        try self.init(Command("unshare", flags + Self.resting), isOwnUserNamespace: user)
    }

    private convenience init(inside other: NetworkNamespace) throws(AiboxError) {
        let command = other.command(Command("unshare", ["--net", "--mount"] + Self.resting))
        try self.init(command, isOwnUserNamespace: other.isOwnUserNamespace)
    }

    /// `cat` ends when the other end of its input is closed, at the latest with this process.
    private static let resting = ["sh", "-c", "ip link set lo up && echo up && exec cat"]

    private init(_ command: Command, isOwnUserNamespace: Bool) throws(AiboxError) {
        self.isOwnUserNamespace = isOwnUserNamespace
        let input = try Pipe()
        let output = try Pipe()
        holder = try ChildProcess.start(command, descriptors: [input.read.number, output.write.number, 2])
        leash = input.write
        input.read.close()
        output.write.close()
        let line = try output.read.readLine()
        guard line == "up" else {
            throw AiboxError(.failed, "cannot make a network namespace", why: "unshare said nothing useful")
        }
    }

    deinit {
        leash.close()
        _ = try? holder.wait()
    }

    public var pid: Int32 { holder.pid }

    /// The namespace file.
    public var path: String { "/proc/\(holder.pid)/ns/net" }

    /// Another network namespace in the same user namespace, so that the two can be joined.
    public func sibling() throws(AiboxError) -> NetworkNamespace { try NetworkNamespace(inside: self) }

    /// A socket that was opened inside, handed out as the product does it: a process that is inside sends
    /// the descriptor. (A process with threads cannot enter a user namespace itself.)
    public func openSocket(family: Int32, type: Int32, protocol number: Int32) throws(AiboxError) -> Descriptor {
        var pair: [Int32] = [-1, -1]
        let made = pair.withUnsafeMutableBufferPointer { aibox_packet_pair($0.baseAddress) }
        if made < 0 { throw .system("cannot make a pair of sockets", errno: made) }
        let (ours, theirs) = (Descriptor(pair[0]), Descriptor(pair[1]))
        let program = """
            import socket
            opened = socket.socket(\(family), \(type), \(number))
            socket.send_fds(socket.socket(fileno=0), [b"x"], [opened.fileno()])
            """
        let child = try ChildProcess.start(
            command(Command("python3", ["-c", program])), descriptors: [theirs.number, 2, 2])
        theirs.close()
        var received: [Int32] = [-1]
        var count: Int32 = 1
        var byte: UInt8 = 0
        let size = aibox_receive_descriptors(ours.number, &byte, 1, &received, &count)
        _ = try child.wait()
        guard size == 1, count == 1 else { throw AiboxError(.failed, "no socket came out of the namespace") }
        return Descriptor(received[0])
    }

    /// The same command, to be run inside.
    ///
    /// - Parameter asOrdinaryUser: without root's number, for programs that give root away when they have it.
    public func command(_ command: Command, asOrdinaryUser: Bool = false) -> Command {
        var arguments = ["-t", String(holder.pid), "--net", "--mount"]
        if isOwnUserNamespace { arguments += ["--user", "--preserve-credentials"] }
        if asOrdinaryUser { arguments += ["unshare", "--user", "--map-user=1000", "--map-group=1000"] }
        var wrapped = command
        wrapped.executable = "nsenter"
        wrapped.arguments = arguments + [command.executable] + command.arguments
        return wrapped
    }

    /// Runs a command inside and requires that it succeeds.
    @discardableResult
    public func run(_ executable: String, _ arguments: [String]) throws(AiboxError) -> String {
        try SystemCommandRunner().require(
            command(Command(executable, arguments)), "\(executable) failed in the namespace"
        ).text
    }

    /// Moves the other end of a new veth pair into `other` and gives both an address.
    public func connect(
        _ interface: String, _ address: String, to other: NetworkNamespace, _ otherInterface: String,
        _ otherAddress: String
    ) throws(AiboxError) {
        try run(
            "ip",
            ["link", "add", interface, "type", "veth", "peer", "name", otherInterface, "netns", String(other.pid)])
        try run("ip", ["addr", "add", address, "dev", interface])
        try run("ip", ["link", "set", interface, "up"])
        try other.run("ip", ["addr", "add", otherAddress, "dev", otherInterface])
        try other.run("ip", ["link", "set", otherInterface, "up"])
    }
}
