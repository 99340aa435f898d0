public import AiboxSystem
import AiboxWire

/// The events inside a recording, one after the other.
public struct RecordingText {
    public struct Event: Sendable, Equatable {
        /// Seconds since the start.
        public var time: Double
        /// `o` output, `r` resize, `m` marker.
        public var code: String
        /// Output is carried (`AuditText.bytes`).
        public var data: String
        /// The line as it stands in the recording, without its newline.
        var line: [UInt8]
    }

    private let reader: RecordingReader
    private var buffer: [UInt8] = []
    private var position = 0
    /// The asciicast header line.
    public private(set) var header: [UInt8] = []

    /// - Throws: `integrity` if the key fits and the content does not.
    public init(_ reader: RecordingReader) throws(AiboxError) {
        self.reader = reader
        guard let header = try nextLine() else {
            throw AiboxError(.integrity, "the recording \(reader.header.id) is empty")
        }
        self.header = header
    }

    /// True if the recording ended in order; to be asked at the end.
    public var isComplete: Bool { reader.isComplete }

    public mutating func next() throws(AiboxError) -> Event? {
        guard let line = try nextLine() else { return nil }
        guard let elements = (try? JSONParser.parse(line))?.elements, elements.count == 3,
            let code = elements[1].stringValue, let data = elements[2].stringValue, let time = Self.seconds(elements[0])
        else { throw AiboxError(.integrity, "the recording \(reader.header.id) holds something that is no event") }
        return Event(time: time, code: code, data: data, line: line)
    }

    private static func seconds(_ value: JSONValue) -> Double? {
        switch value {
        case .number(let number): number
        case .integer(let number): Double(number)
        default: nil
        }
    }

    private mutating func nextLine() throws(AiboxError) -> [UInt8]? {
        while true {
            if let end = buffer[position...].firstIndex(of: 0x0a) {
                defer { position = end + 1 }
                return Array(buffer[position..<end])
            }
            buffer.removeSubrange(..<position)
            position = 0
            guard let chunk = try reader.next() else { return buffer.isEmpty ? nil : try unfinished() }
            buffer += chunk
        }
    }

    private func unfinished() throws(AiboxError) -> [UInt8]? {
        throw AiboxError(.integrity, "the recording \(reader.header.id) ends in the middle of an event")
    }
}

extension RecordingText.Event {
    /// The line of a file that every asciicast player takes: bytes that are no UTF-8 become U+FFFD.
    public var exported: [UInt8] {
        guard data.unicodeScalars.contains(where: AuditText.isCarrier) else { return line }
        var text: [UInt8] = []
        Asciicast.begin(code, at: .microseconds(Int64(time * 1e6)), to: &text)
        JSONText.append(String(decoding: AuditText.bytes(data), as: UTF8.self), to: &text)
        return text + [0x5d]
    }
}
