public import AiboxSystem

/// The name of a sandbox: `anna-1f2e3d4c` by default, or what `--name` says.
///
/// Container, SSH host and run-time folder are all called `aibox-` + this name. Lower-case letters,
/// digits and inner hyphens, at most 40 bytes: nothing that could be read as an option or a path.
public struct SandboxName: Sendable, Hashable, CustomStringConvertible {
    public let text: String
    public var description: String { text }
    /// The container's and the SSH host's name.
    public var container: String { "aibox-" + text }

    private static let longest = 40

    /// A name given by a person; a leading `aibox-` is taken off.
    public init(_ given: String) throws(AiboxError) {
        let text = given.hasPrefix("aibox-") ? String(given.dropFirst(6)) : given
        let allowed = text.utf8.allSatisfy { Self.isLetterOrDigit($0) || $0 == UInt8(ascii: "-") }
        guard allowed, let first = text.utf8.first, let last = text.utf8.last, Self.isLetterOrDigit(first),
            Self.isLetterOrDigit(last), text.utf8.count <= Self.longest
        else {
            throw AiboxError(
                .usage, "no sandbox can be called \(Self.shown(given))",
                why: "a name has 1 to \(Self.longest) lower-case letters, digits and inner hyphens")
        }
        self.text = text
    }

    /// The default name: the user and the first eight hexadecimal digits of the SHA-256 of the
    /// workspace's real path.
    public init(user: String, workspaceDigest: String) {
        let kept = user.lowercased().utf8.filter { Self.isLetterOrDigit($0) }.prefix(24)
        text = (kept.isEmpty ? "user" : String(decoding: kept, as: UTF8.self)) + "-" + workspaceDigest.prefix(8)
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        default: false
        }
    }

    private static func shown(_ text: String) -> String {
        "“" + SafeText.escaped(String(text.prefix(60))) + "”"
    }
}
