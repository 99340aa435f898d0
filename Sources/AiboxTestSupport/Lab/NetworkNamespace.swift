public import AiboxSystem

/// A network namespace that exists as long as this object.
///
/// Held by a process of its own. For an ordinary user it lies in a user namespace in which that user is
/// root; for root it is a plain one. Either way nothing on the machine's own network changes.
public final class NetworkNamespace: Sendable {
    private let holder: ChildProcess
    private let leash: Descriptor
    private let isOwnUserNamespace: Bool

    /// - Parameter user: a user namespace as well, even for root.
    public init(user: Bool = !UserIdentity.current.isRoot) throws(AiboxError) {
        isOwnUserNamespace = user
        let input = try Pipe()
        let output = try Pipe()
        let flags = user ? ["--user", "--map-root-user", "--net", "--mount"] : ["--net", "--mount"]
        // `cat` ends when the other end of its input is closed, at the latest with this process.
        holder = try ChildProcess.start(
            Command("unshare", flags + ["sh", "-c", "ip link set lo up && echo up && exec cat"]),
            descriptors: [input.read.number, output.write.number, 2])
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
