/// Bytes from outside as text that can be turned back into exactly these bytes.
///
/// Valid UTF-8 is itself. A byte `b` that is no part of a valid sequence becomes the private-use character
/// U+10FE00 + b (U+10FE80 ... U+10FEFF). Such a character that the input really contains is carried byte by byte in
/// the same way, so that nothing is ambiguous. In the log these characters are written `\udbff\ude80` and so on.
public enum AuditText {
    private static let base: UInt32 = 0x10FE00

    /// The text that stands for these bytes.
    public static func carried(_ bytes: some Collection<UInt8>) -> String {
        let bytes = Array(bytes)
        if let text = String(validating: bytes, as: UTF8.self), !text.unicodeScalars.contains(where: isCarrier) {
            return text
        }
        var text = String.UnicodeScalarView()
        var index = 0
        while index < bytes.count {
            let length = sequenceLength(bytes, index)
            if length > 0,
                let scalar = String(decoding: bytes[index..<index + length], as: UTF8.self).unicodeScalars.first,
                !isCarrier(scalar)
            {
                text.append(scalar)
                index += length
                continue
            }
            for byte in bytes[index..<index + max(1, length)] {
                if let scalar = Unicode.Scalar(base + UInt32(byte)) { text.append(scalar) }
            }
            index += max(1, length)
        }
        return String(text)
    }

    /// The bytes that a text stands for.
    public static func bytes(_ text: String) -> [UInt8] {
        var bytes: [UInt8] = []
        for scalar in text.unicodeScalars {
            if isCarrier(scalar) {
                bytes.append(UInt8(truncatingIfNeeded: scalar.value))
            } else {
                bytes.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
            }
        }
        return bytes
    }

    static func isCarrier(_ scalar: Unicode.Scalar) -> Bool { (base + 0x80...base + 0xff).contains(scalar.value) }

    /// The length of the valid UTF-8 sequence at `index` (Unicode 15, table 3-7), or 0.
    private static func sequenceLength(_ bytes: [UInt8], _ index: Int) -> Int {
        func follows(_ offset: Int, _ range: ClosedRange<UInt8> = 0x80...0xbf) -> Bool {
            index + offset < bytes.count && range.contains(bytes[index + offset])
        }
        switch bytes[index] {
        case 0..<0x80: return 1
        case 0xc2...0xdf: return follows(1) ? 2 : 0
        case 0xe0: return follows(1, 0xa0...0xbf) && follows(2) ? 3 : 0
        case 0xed: return follows(1, 0x80...0x9f) && follows(2) ? 3 : 0
        case 0xe1...0xef: return follows(1) && follows(2) ? 3 : 0
        case 0xf0: return follows(1, 0x90...0xbf) && follows(2) && follows(3) ? 4 : 0
        case 0xf4: return follows(1, 0x80...0x8f) && follows(2) && follows(3) ? 4 : 0
        case 0xf1...0xf3: return follows(1) && follows(2) && follows(3) ? 4 : 0
        default: return 0
        }
    }
}
