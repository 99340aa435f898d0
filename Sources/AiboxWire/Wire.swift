/// What both ends of every conversation agree on.
public enum Wire {
    /// Version of the messages in this target. A peer of another version is refused, not guessed at.
    public static let version = 1
    /// Bytes of one line on the control socket, its newline included; the list of open questions may be longer.
    public static let lineLimit = 64 << 10
    /// Bytes of the settings that a gateway takes at its start.
    public static let settingsLimit = 4 << 20
    /// Name of the control socket in the run folder.
    public static let controlSocket = "control.sock"
    /// Name of the socket in the run folder where trace points come from: gVisor's sentry, or a runtime that brings a filter's listener.
    public static let traceSocket = "trace.sock"
    /// Name of the lock file in the run folder; the daemon holds it for life.
    public static let lockFile = "gateway.lock"

    /// Takes and checks the member `version`.
    static func checkVersion(_ fields: inout WireFields) throws(WireError) {
        let version: Int = try fields.integer("version")
        if version != Wire.version {
            throw WireError(
                what: "cannot talk to a gateway of another version",
                why: "it speaks version \(version), not \(Wire.version)",
                remedy: "stop the sandbox with the aibox that started it, then start it again")
        }
    }
}
