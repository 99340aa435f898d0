import AiboxNetwork
import AiboxSystem
import CLinux
import Glibc

/// The resolver as a child of the namespace holder: in the gateway's namespace, without any right, ended with the holder.
struct HeldResolver {
    private var child: ChildProcess?
    private var process: Descriptor?

    /// Readable when it has ended; -1 while there is none.
    var ending: Int32 { process?.number ?? -1 }

    /// Starts one in the place of one that runs.
    ///
    /// - Parameters:
    ///   - configuration: a file that the program can read by its descriptor.
    ///   - log: where its lines go.
    /// - Returns: its process descriptor.
    mutating func start(
        _ program: ResolverProgram, configuration: Descriptor, log: Descriptor
    ) throws(AiboxError) -> Descriptor {
        end()
        let command = Command(
            program.rawValue, program.arguments(configuration: "/proc/self/fd/3"), environment: ["LC_ALL": "C"],
            directory: "/")
        let nothing = Descriptor(try retrying("cannot open /dev/null") { open("/dev/null", O_RDWR | O_CLOEXEC) })
        let child = try ChildProcess.start(
            command, descriptors: [nothing.number, log.number, log.number, configuration.number],
            options: .powerless, deathSignal: SIGKILL, account: Self.account)
        self.child = child
        let process = Descriptor(try check(aibox_pidfd_open(child.pid), "cannot watch the resolver"))
        let copy = Descriptor(try retrying("cannot watch the resolver") { fcntl(process.number, F_DUPFD_CLOEXEC, 3) })
        self.process = process
        return copy
    }

    /// Ends it, and takes note of its end.
    mutating func end() {
        guard let child else { return }
        child.send(SIGKILL)
        _ = try? child.wait()
        self.child = nil
        process = nil
    }

    /// Somebody who owns nothing: the account of the package, else nobody; in a user namespace any number that is mapped.
    private static var account: ChildProcess.Account? {
        guard geteuid() == 0, let map = try? File.text("/proc/self/uid_map") else { return nil }
        let whole = map.split(separator: " ").map { $0.filter { !$0.isWhitespace } } == ["0", "0", "4294967295"]
        if whole, let entry = getpwnam("unbound") ?? getpwnam("nobody") {
            return ChildProcess.Account(user: entry.pointee.pw_uid, group: entry.pointee.pw_gid)
        }
        let isMapped = map.split(separator: "\n").contains { line in
            let numbers = line.split(separator: " ").compactMap { UInt32($0) }
            return numbers.count == 3 && numbers[0] <= mapped && mapped - numbers[0] < numbers[2]
        }
        return isMapped ? ChildProcess.Account(user: mapped, group: mapped) : nil
    }

    private static let mapped: UInt32 = 53
}
