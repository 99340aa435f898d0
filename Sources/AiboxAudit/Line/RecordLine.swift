import AiboxCrypto
import Glibc

/// The frame of a line, byte by byte (docs/audit-log.md): what chain and MAC need, without parsing JSON.
///
///     {"seq":N,"id":"ULID",BODY,"prev":"64 digits","mac":"64 digits"}
///
/// `prev` is the Merkle leaf hash of the line before. The MAC covers every byte before `,"mac":"`.
struct RecordLine {
    static let prefix = Array(#"{"seq":"#.utf8)
    private static let idMark = Array(#","id":""#.utf8)
    private static let prevMark = Array(#","prev":""#.utf8)
    private static let macMark = Array(#"","mac":""#.utf8)
    private static let end = Array(#""}"#.utf8)

    /// From the start of `,"prev":"` to the end of the line.
    static let suffixLength = 9 + 64 + 9 + 64 + 2
    /// Bytes at the end that the MAC does not cover: `,"mac":"`, its digits, `"}`.
    static let unauthenticatedLength = 8 + 64 + 2

    let sequence: UInt64
    let previous: Digest256
    let mac: Digest256
    /// The line without its newline: the Merkle leaf.
    let bytes: UnsafeRawBufferPointer

    /// What the MAC covers.
    var authenticated: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: bytes[..<(bytes.count - Self.unauthenticatedLength)])
    }

    /// nil if the frame is broken. `line` has no newline.
    init?(_ line: UnsafeRawBufferPointer) {
        guard line.count > Self.prefix.count + Self.suffixLength + EventID.length,
            Self.matches(line, 0, Self.prefix)
        else { return nil }
        var position = Self.prefix.count
        var number: UInt64 = 0
        while position < line.count, case let digit = line[position] &- UInt8(ascii: "0"), digit < 10 {
            // A leading zero, or more digits than a number has, is another spelling: not ours.
            if position == Self.prefix.count + 18 || (digit == 0 && number == 0) { return nil }
            number = number * 10 + UInt64(digit)
            position += 1
        }
        let suffix = line.count - Self.suffixLength
        guard number > 0, Self.matches(line, position, Self.idMark), Self.matches(line, suffix, Self.prevMark),
            Self.matches(line, suffix + 73, Self.macMark), Self.matches(line, suffix + 146, Self.end),
            let previous = Digest256(hex: UnsafeRawBufferPointer(rebasing: line[(suffix + 9)..<(suffix + 73)])),
            let mac = Digest256(hex: UnsafeRawBufferPointer(rebasing: line[(suffix + 82)..<(suffix + 146)]))
        else { return nil }
        sequence = number
        self.previous = previous
        self.mac = mac
        bytes = line
    }

    /// The id; nil if it is none. Not needed to verify, so not read before.
    var id: EventID? {
        let start = Self.prefix.count + String(sequence).utf8.count + Self.idMark.count
        return EventID(String(decoding: bytes[start..<start + EventID.length], as: UTF8.self))
    }

    private static func matches(_ line: UnsafeRawBufferPointer, _ position: Int, _ mark: [UInt8]) -> Bool {
        guard position >= 0, position + mark.count <= line.count, let base = line.baseAddress else { return false }
        return mark.withUnsafeBytes { mark in
            mark.baseAddress.map { memcmp(base + position, $0, mark.count) == 0 } ?? true
        }
    }

    /// The bytes up to and with the quotation mark after `prev`: what the MAC covers.
    static func authenticated(
        sequence: UInt64, id: EventID, body: [UInt8], previous: Digest256, to line: inout [UInt8]
    ) {
        line.append(contentsOf: prefix)
        line.append(contentsOf: String(sequence).utf8)
        line.append(contentsOf: idMark)
        id.append(to: &line)
        line.append(contentsOf: "\",".utf8)
        line.append(contentsOf: body)
        line.append(contentsOf: prevMark)
        previous.withUnsafeBytes { Hex.append($0, to: &line) }
        line.append(UInt8(ascii: "\""))
    }

    /// The rest of the line, without its newline.
    static func finish(_ mac: Digest256, to line: inout [UInt8]) {
        line.append(contentsOf: macMark.dropFirst())
        mac.withUnsafeBytes { Hex.append($0, to: &line) }
        line.append(contentsOf: end)
    }
}
