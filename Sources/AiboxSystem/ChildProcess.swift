import CLinux
import Glibc

/// A process that this one started.
public struct ChildProcess: Sendable {
    public let pid: Int32

    /// Flags for `start`.
    public struct Options: OptionSet, Sendable {
        public let rawValue: Int32
        public init(rawValue: Int32) { self.rawValue = rawValue }
        /// A session of its own: the terminal's hang-up and Ctrl-C do not reach it.
        public static let newSession = Options(rawValue: AIBOX_SPAWN_NEW_SESSION)
        /// A process group of its own.
        public static let newGroup = Options(rawValue: AIBOX_SPAWN_NEW_GROUP)
        /// No capability, not even for root, and none to gain by executing something.
        public static let powerless = Options(rawValue: AIBOX_SPAWN_POWERLESS)
    }

    /// A user and a group for a child to become, without further groups.
    public struct Account: Sendable, Equatable {
        public var user: UInt32
        public var group: UInt32

        public init(user: UInt32, group: UInt32) {
            self.user = user
            self.group = group
        }
    }

    /// Starts `command` with exactly the given descriptors as 0, 1, 2, ... (-1 leaves one closed).
    ///
    /// - Parameters:
    ///   - deathSignal: sent to the child when the starting thread ends; 0 for none.
    ///   - account: who the child becomes; nil: who this process is.
    public static func start(
        _ command: Command,
        descriptors: [Int32],
        options: Options = [],
        deathSignal: Int32 = 0,
        account: Account? = nil
    ) throws(AiboxError) -> ChildProcess {
        guard let path = ExecutableSearch.find(command.executable) else {
            throw AiboxError(
                .failed, "cannot run \(command.executable)", why: "no such program on this machine",
                remedy: "aibox doctor names what is missing and how to install it")
        }
        var environment = Environment.all
        for (name, value) in command.environment { environment[name] = value }
        let arguments = CStringArray([command.executable] + command.arguments)
        let variables = CStringArray(environment.map { $0.key + "=" + $0.value })
        let identity = account.map { [$0.user, $0.group] }
        let pid = arguments.withPointer { argv in
            variables.withPointer { envp in
                descriptors.withUnsafeBufferPointer { list in
                    identity.withPointer { account in
                        aibox_spawn(
                            path, argv, envp, command.directory, list.baseAddress, Int32(list.count),
                            options.rawValue, deathSignal, account)
                    }
                }
            }
        }
        if pid < 0 { throw .system("cannot run \(path)", errno: pid) }
        return ChildProcess(pid: pid)
    }

    /// Blocks until the child has ended.
    public func wait() throws(AiboxError) -> Termination {
        guard let termination = try poll(block: true) else { return .exited(0) }
        return termination
    }

    /// How it ended, or nil while it runs.
    public func poll() throws(AiboxError) -> Termination? { try poll(block: false) }

    private func poll(block: Bool) throws(AiboxError) -> Termination? {
        var code: Int32 = -1
        var signal: Int32 = -1
        let ended = aibox_wait(pid, block, &code, &signal)
        if ended < 0 { throw .system("cannot wait for process \(pid)", errno: ended) }
        if ended == 0 { return nil }
        return signal >= 0 ? .signalled(signal) : .exited(code)
    }

    /// Sends a signal; a process that has already ended is no error.
    public func send(_ signal: Int32) { kill(pid, signal) }
}

extension [UInt32]? {
    fileprivate func withPointer<Result>(_ body: (UnsafePointer<UInt32>?) -> Result) -> Result {
        guard let self else { return body(nil) }
        return self.withUnsafeBufferPointer { body($0.baseAddress) }
    }
}

/// `char *const []` for exec: owns the copies.
final class CStringArray {
    private var pointers: [UnsafeMutablePointer<CChar>?]

    init(_ strings: [String]) { pointers = strings.map { strdup($0) } + [nil] }

    deinit { for pointer in pointers { free(pointer) } }

    func withPointer<Result>(_ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>?) -> Result) -> Result {
        pointers.withUnsafeBufferPointer { body($0.baseAddress) }
    }
}
