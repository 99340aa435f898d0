import AiboxSystem
import AiboxWire

/// The text inside a recording: asciicast v2 (docs.asciinema.org/manual/asciicast/v2), a line an event.
///
/// Output that is no UTF-8 is carried as in the audit log (`AuditText`), so that the bytes can be had back.
enum Asciicast {
    static func header(width: Int, height: Int, started: Timestamp, title: String, term: String) -> [UInt8] {
        let object: JSONObject = [
            "version": 2, "width": .integer(Int64(width)), "height": .integer(Int64(height)),
            "timestamp": .integer(started.seconds), "title": .string(title), "env": ["TERM": .string(term)],
        ]
        return JSONValue.object(object).bytes + [0x0a]
    }

    /// `[seconds, "r", "80x24"]`
    static func resize(_ width: Int, _ height: Int, at time: Duration) -> [UInt8] {
        event("r", Array("\(width)x\(height)".utf8), at: time)
    }

    /// A place to jump to, with a label.
    static func marker(_ label: String, at time: Duration) -> [UInt8] {
        var label = label
        return label.withUTF8 { event("m", Array($0), at: time) }
    }

    private static func event(_ code: String, _ data: [UInt8], at time: Duration) -> [UInt8] {
        var line: [UInt8] = []
        begin(code, at: time, to: &line)
        JSONText.append(String(decoding: data, as: UTF8.self), to: &line)
        line.append(contentsOf: [0x5d, 0x0a])
        return line
    }

    /// `[1.234567, "o", `
    static func begin(_ code: String, at time: Duration, to line: inout [UInt8]) {
        let (seconds, attoseconds) = time.components
        let micros = String(attoseconds / 1_000_000_000_000)
        line.append(UInt8(ascii: "["))
        line.append(contentsOf: String(seconds).utf8)
        line.append(UInt8(ascii: "."))
        line.append(contentsOf: String(repeating: "0", count: 6 - micros.utf8.count).utf8)
        line.append(contentsOf: micros.utf8)
        line.append(contentsOf: ", \"\(code)\", ".utf8)
    }
}

/// Turns output, as it comes in pieces, into events. A character cut between two pieces stays whole.
struct AsciicastOutput {
    /// The beginning of a character whose rest has not come.
    private var rest: [UInt8] = []

    /// Appends an output event with these bytes to `line`; none if all of them wait for more.
    mutating func append(_ bytes: UnsafeRawBufferPointer, at time: Duration, to line: inout [UInt8]) {
        if rest.isEmpty {
            let cut = Self.unfinished(bytes)
            if cut < bytes.count { rest = Array(bytes[cut...]) }
            event(UnsafeRawBufferPointer(rebasing: bytes[..<cut]), at: time, to: &line)
            return
        }
        var joined = rest
        joined.append(contentsOf: bytes)
        rest = []
        joined.withUnsafeBytes { append($0, at: time, to: &line) }
    }

    /// What was left over, as it is.
    mutating func flush(at time: Duration, to line: inout [UInt8]) {
        let left = rest
        rest = []
        left.withUnsafeBytes { event($0, at: time, to: &line) }
    }

    private func event(_ bytes: UnsafeRawBufferPointer, at time: Duration, to line: inout [UInt8]) {
        if bytes.isEmpty { return }
        Asciicast.begin("o", at: time, to: &line)
        if Self.isPlain(bytes) {
            Self.appendEscaped(bytes, to: &line)
        } else {
            JSONText.append(AuditText.carried(Array(bytes)), to: &line)
        }
        line.append(contentsOf: [0x5d, 0x0a])
    }

    /// Where a character at the end begins that needs more bytes; else the end.
    private static func unfinished(_ bytes: UnsafeRawBufferPointer) -> Int {
        var start = bytes.count - 1
        while start >= max(0, bytes.count - 3) {
            let byte = bytes[start]
            if byte < 0x80 { return bytes.count }
            if byte >= 0xc0 {
                let length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2
                return byte < 0xf5 && bytes.count - start < length ? start : bytes.count
            }
            start -= 1
        }
        return bytes.count
    }

    /// True for ASCII, which is nearly everything and needs no decoding.
    private static func isPlain(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var index = 0
        var seen: UInt64 = 0
        while index + 8 <= bytes.count {
            seen |= bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            index += 8
        }
        while index < bytes.count {
            seen |= UInt64(bytes[index])
            index += 1
        }
        return seen & 0x8080_8080_8080_8080 == 0
    }

    /// For each byte: the two bytes that stand for it, the first one lowest, and above them how many count. Of a
    /// control character that has no short form, six do: `\u00XX`.
    private static let escapes: [UInt32] = (0..<256).map { byte in
        func short(_ letter: UInt8) -> UInt32 { 0x5c | UInt32(letter) << 8 | 2 << 16 }
        return switch UInt8(byte) {
        case 0x0a: short(UInt8(ascii: "n"))
        case 0x0d: short(UInt8(ascii: "r"))
        case 0x09: short(UInt8(ascii: "t"))
        case 0x22: short(0x22)
        case 0x5c: short(0x5c)
        case 0..<0x20, 0x7f: 0x5c | UInt32(UInt8(ascii: "u")) << 8 | 6 << 16
        default: UInt32(byte) | 1 << 16
        }
    }
    /// Bytes that are escaped at once, in memory that stays in the processor's cache.
    private static let block = 4096

    /// A JSON string of ASCII. Written out by hand, and without a branch for what is frequent: at 100 MB of output this
    /// loop is much of what recording costs.
    private static func appendEscaped(_ bytes: UnsafeRawBufferPointer, to line: inout [UInt8]) {
        let hex: StaticString = "0123456789abcdef"
        line.append(0x22)
        withUnsafeTemporaryAllocation(byteCount: block * 6 + 8, alignment: 8) { room in
            guard let out = room.baseAddress, let source = bytes.baseAddress else { return }
            escapes.withUnsafeBufferPointer { escapes in
                for start in stride(from: 0, to: bytes.count, by: block) {
                    var position = 0
                    for index in start..<min(start + block, bytes.count) {
                        let byte = source.load(fromByteOffset: index, as: UInt8.self)
                        let escape = escapes[Int(byte)]
                        out.storeBytes(of: UInt16(truncatingIfNeeded: escape), toByteOffset: position, as: UInt16.self)
                        position += Int(escape >> 16)
                        if escape >> 16 == 6 {
                            out.storeBytes(of: 0x3030, toByteOffset: position - 4, as: UInt16.self)
                            out.storeBytes(
                                of: hex.utf8Start[Int(byte >> 4)], toByteOffset: position - 2, as: UInt8.self)
                            out.storeBytes(
                                of: hex.utf8Start[Int(byte & 15)], toByteOffset: position - 1, as: UInt8.self)
                        }
                    }
                    line.append(contentsOf: UnsafeRawBufferPointer(start: out, count: position))
                }
            }
        }
        line.append(0x22)
    }
}
