import NIOCore

/// Takes the forms of secrets out of a stream, wherever its pieces begin and end.
///
/// A form becomes as many asterisks, so that lengths stay true. Of each piece the end of its last line is held back, as far as
/// a form could reach into the next piece: whether it is the beginning of one or not. Where pieces end is seen by who reads
/// them, and would tell the secret, a guess at a time, if it depended on that. An event of a stream ends with its line, and goes on at once.
struct Redaction {
    private let forms: SecretForms
    private var held = ByteBuffer()
    /// Forms taken out so far.
    private(set) var count = 0

    init(_ forms: SecretForms) { self.forms = forms }

    /// - Returns: what can go on; empty where all of it is held back.
    mutating func feed(_ piece: ByteBuffer) -> ByteBuffer {
        if forms.patterns.isEmpty { return piece }
        var text = held.followed(by: piece)
        held = ByteBuffer()
        mask(&text)
        if let start = text.withUnsafeReadableBytes({ forms.held(in: $0) }) {
            let passed = text.readSlice(length: start) ?? ByteBuffer()
            held = ByteBuffer(bytes: text.readableBytesView)
            return passed
        }
        return text
    }

    /// What was held back: no form after all.
    mutating func finish() -> ByteBuffer {
        defer { held = ByteBuffer() }
        return held
    }

    private mutating func mask(_ text: inout ByteBuffer) {
        var found: [Range<Int>] = []
        text.withUnsafeReadableBytes { bytes in forms.find(in: bytes) { found.append($0) } }
        if found.isEmpty { return }
        count += found.count
        text.withUnsafeMutableReadableBytes { bytes in
            for place in found {
                for index in place { bytes[index] = UInt8(ascii: "*") }
            }
        }
    }

    /// A text that is whole: a header's value.
    ///
    /// - Parameter count: grows by the forms taken out.
    static func mask(_ bytes: [UInt8], _ forms: SecretForms, count: inout Int) -> [UInt8] {
        var bytes = bytes
        var found: [Range<Int>] = []
        bytes.withUnsafeBytes { text in forms.find(in: text) { found.append($0) } }
        count += found.count
        for place in found {
            for index in place { bytes[index] = UInt8(ascii: "*") }
        }
        return bytes
    }
}
