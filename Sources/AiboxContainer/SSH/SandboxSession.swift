public import AiboxConfig
public import AiboxState
public import AiboxSystem
import Glibc

/// A command in the sandbox, as `ssh` on the host runs it.
///
/// Why SSH and not `podman exec`: under gVisor an exec'd process does not get the container's seccomp
/// filter, while what sshd starts inherits it; one kept connection saves the login each time; and a shell,
/// an IDE and git then meet the same environment.
///
/// The SSH protocol carries a command as one string for the login shell (RFC 4254, section 6.5). Ours is
/// constant; the words of the command travel in a variable and are never parsed by a shell (P10).
public struct SandboxSession: Sendable {
    let paths: Paths
    let record: SandboxRecord

    public init(paths: Paths, record: SandboxRecord) {
        self.paths = paths
        self.record = record
    }

    /// - Parameters:
    ///   - words: program and arguments.
    ///   - folder: where it runs inside.
    ///   - terminal: give it a terminal.
    public func command(_ words: [String], folder: String = "/workspace", terminal: Bool) throws(AiboxError) -> Command
    {
        let encoded = Self.encode(words)
        // Linux takes 128 KiB a variable (MAX_ARG_STRLEN).
        guard encoded.utf8.count < 120_000 else {
            throw AiboxError(
                .usage, "the command is too long", why: "its words take more than 120,000 bytes as they travel",
                remedy: "put them into a file in the workspace")
        }
        return Command(
            "ssh",
            options + [terminal ? "-t" : "-T", record.container, Self.runner],
            environment: ["AIBOX_ARGV": encoded, "AIBOX_FOLDER": Self.encodeWord(folder)])
    }

    /// Opens the connection that later commands share, unless it is open, and goes on without waiting
    /// for it: a command that comes before it is there opens one of its own.
    public func keepConnection() {
        guard let controlPath, !File.exists(controlPath) else { return }
        let null = Descriptor(open("/dev/null", O_RDWR | O_CLOEXEC))
        _ = try? ChildProcess.start(
            Command("ssh", options + ["-o", "ControlMaster=yes", "-N", record.container]),
            descriptors: [null.number, null.number, null.number], options: .newSession)
    }

    private var options: [String] {
        var options = [
            "-F", RecordedDoor.innerConfiguration(of: record.name, paths) ?? paths.sshIncludable, "-o", "BatchMode=yes",
            "-o", "LogLevel=ERROR", "-o", "EscapeChar=none",
            "-o", "ConnectTimeout=15", "-o", "SendEnv=COLORTERM \(Self.variables)",
        ]
        // The keeper of a shared connection lets only those variables through that it would send itself.
        if let controlPath { options += ["-o", "ControlPath=\(controlPath)"] }
        return options
    }

    /// The socket of the connection that commands share, or nil where the name would be too long: ssh
    /// appends 17 bytes to it while it makes the socket, and the kernel takes 107.
    private var controlPath: String? {
        let path = record.runFolder + "/ssh"
        return path.utf8.count <= 88 ? path : nil
    }

    /// Where the script below is mounted inside.
    static let scriptPath = "/run/aibox/run-argv"
    /// A login shell that is bash, as in our images, reads the script itself: a program less to start, which under
    /// gVisor takes as long as all the rest.
    private static let runner =
        "if [ -n \"$BASH_VERSION\" ]; then . \(scriptPath); else exec /bin/bash \(scriptPath); fi"
    /// What ssh has to send and sshd to accept for it.
    static let variables = "AIBOX_ARGV AIBOX_FOLDER"

    /// Takes the words apart again, inside. The subshell makes a death by signal visible as 128 + its number.
    /// `builtin` because the reader's own start-up file may have functions of those names.
    static let script = """
        # Runs the command in AIBOX_ARGV: words that each end with a comma, in which \\xHH is a byte.
        builtin set -f +eu
        IFS=,
        words=($AIBOX_ARGV)
        builtin unset IFS
        builtin set +f
        argv=()
        for word in "${words[@]}"; do builtin printf -v "argv[${#argv[@]}]" %b "$word"; done
        builtin printf -v folder %b "$AIBOX_FOLDER"
        builtin unset AIBOX_ARGV AIBOX_FOLDER words word
        builtin cd -- "$folder" || builtin exit 126
        (builtin exec -- "${argv[@]}")
        builtin exit $?

        """

    static func encode(_ words: [String]) -> String { words.map { encodeWord($0) + "," }.joined() }

    static func encodeWord(_ word: String) -> String {
        var text = ""
        for byte in word.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "/"), UInt8(ascii: "."), UInt8(ascii: "-"),
                UInt8(ascii: "_"):
                text.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                text += "\\x" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
            }
        }
        return text
    }
}
