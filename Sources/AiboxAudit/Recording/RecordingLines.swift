/// The lines of text that a session showed, without colours and movements, for searching.
public struct RecordingLines {
    public struct Line: Sendable, Equatable {
        /// When it began, in seconds since the start.
        public var time: Double
        public var text: String
    }

    private var filter = TerminalFilter()
    private var bytes: [UInt8] = []
    private var began = 0.0
    /// Inside a sequence; the filter lets through ESC [ ... final, ESC ( x and ESC x.
    private enum Sequence { case none, begun, control, set }
    private var sequence = Sequence.none
    /// A longer line is cut into several.
    private static let longest = 4096

    public init() {}

    /// The lines that an event completes.
    public mutating func add(_ event: RecordingText.Event) -> [Line] {
        var lines: [Line] = []
        for byte in filter.filter(AuditText.bytes(event.data)) {
            if bytes.isEmpty { began = event.time }
            if sequence != .none {
                follow(byte)
            } else if byte == 0x1b {
                sequence = .begun
            } else if byte == 0x0a || bytes.count >= Self.longest {
                lines += rest()
            } else if byte >= 0x20 || byte == 0x09 {
                bytes.append(byte)
            } else if byte == 0x08, !bytes.isEmpty {
                bytes.removeLast()
            }
        }
        return lines
    }

    private mutating func follow(_ byte: UInt8) {
        switch sequence {
        case .begun:
            sequence = byte == UInt8(ascii: "[") ? .control : byte == UInt8(ascii: "(") ? .set : .none
        case .control: if (0x40...0x7e).contains(byte) { sequence = .none }
        case .set, .none: sequence = .none
        }
    }

    /// What stands on the last line, which did not end.
    public mutating func rest() -> [Line] {
        if bytes.isEmpty { return [] }
        defer { bytes = [] }
        return [Line(time: began, text: String(decoding: bytes, as: UTF8.self))]
    }
}
