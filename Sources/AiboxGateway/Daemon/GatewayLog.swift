import AiboxSystem
import AiboxWire
import Glibc
import Synchronization

/// The daemon's own log: lines of text on standard error, which the CLI pointed at the log file.
///
/// For people who look for a fault. What the sandbox did is in the audit log, not here.
final class GatewayLog: Sendable {
    enum Level: String, Sendable { case info, warning, error }

    private let limit: Int
    private let written: Mutex<Int>

    /// - Parameter limit: bytes after which the file starts anew.
    init(limit: Int) {
        self.limit = limit
        var status = stat()
        written = Mutex(fstat(STDERR_FILENO, &status) == 0 ? Int(status.st_size) : 0)
    }

    func info(_ message: String, _ fields: KeyValuePairs<String, String> = [:]) { write(.info, message, fields) }
    func warning(_ message: String, _ fields: KeyValuePairs<String, String> = [:]) { write(.warning, message, fields) }
    func error(_ message: String, _ fields: KeyValuePairs<String, String> = [:]) { write(.error, message, fields) }

    private func write(_ level: Level, _ message: String, _ fields: KeyValuePairs<String, String>) {
        let line = Self.line(.now, level, message, fields)
        written.withLock { written in
            if written + line.utf8.count > limit, ftruncate(STDERR_FILENO, 0) == 0 {
                written = 0
                put(Self.line(.now, .info, "log started anew", ["limit": "\(limit)"]), &written)
            }
            put(line, &written)
        }
    }

    private func put(_ line: String, _ written: inout Int) {
        // A full disk must not stop the gateway; the audit log has its own, stricter rule.
        written += max(0, Glibc.write(STDERR_FILENO, line, line.utf8.count))
    }

    /// `TIME LEVEL message key=value ...`; a value with anything but plain characters is a JSON string.
    static func line(
        _ time: Timestamp, _ level: Level, _ message: String, _ fields: KeyValuePairs<String, String>
    ) -> String {
        var line = "\(time.rfc3339.prefix(23))Z \(level.rawValue) \(message)"
        for (name, value) in fields {
            let isPlain = !value.isEmpty && value.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\"") }
            line += " \(name)=\(isPlain ? value : JSONValue.string(value).text)"
        }
        return line + "\n"
    }
}
