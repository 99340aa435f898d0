import AiboxSystem

/// The fields of one ustar header block that matter here.
struct TarHeader {
    var path: String
    var mode: UInt32
    var uid: Int
    var gid: Int
    var size: Int
    var modified: Int
    var type: UInt8
    var linkTarget: String

    /// Nil for the block of zeros that ends an archive.
    init?(_ block: [UInt8]) throws(AiboxError) {
        if block.allSatisfy({ $0 == 0 }) { return nil }
        guard try Self.octal(block[148..<156]) == Self.checksum(block) else {
            throw .badArchive("a header's checksum is wrong")
        }
        let name = try Self.text(block[0..<100])
        let isUstar = block[257..<262].elementsEqual("ustar".utf8)
        let isGNU = isUstar && block[262] == UInt8(ascii: " ")
        let prefix = isUstar && !isGNU ? try Self.text(block[345..<500]) : ""
        path = prefix.isEmpty ? name : prefix + "/" + name
        mode = UInt32(truncatingIfNeeded: try Self.octal(block[100..<108])) & 0o7777
        uid = try Self.octal(block[108..<116])
        gid = try Self.octal(block[116..<124])
        size = try Self.octal(block[124..<136])
        modified = try Self.octal(block[136..<148])
        type = block[156]
        linkTarget = try Self.text(block[157..<257])
    }

    /// The sum of all bytes, those of the checksum field taken as spaces.
    static func checksum(_ block: [UInt8]) -> Int {
        var sum = 8 * 0x20
        for (index, byte) in block.enumerated() where !(148..<156).contains(index) { sum += Int(byte) }
        return sum
    }

    /// Up to the first zero byte. Names have to be UTF-8: one that is not could not be written back unchanged.
    static func text(_ bytes: ArraySlice<UInt8>) throws(AiboxError) -> String {
        let bytes = bytes.prefix { $0 != 0 }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw .badArchive("a file name is no UTF-8")
        }
        return text
    }

    static func decimal(_ bytes: ArraySlice<UInt8>) throws(AiboxError) -> Int {
        guard let value = Int(String(decoding: bytes, as: UTF8.self)) else {
            throw .badArchive("a number makes no sense")
        }
        return value
    }

    /// Octal digits, or GNU's big-endian form behind a byte 0x80.
    private static func octal(_ bytes: ArraySlice<UInt8>) throws(AiboxError) -> Int {
        if bytes.first == 0x80 {
            var value = 0
            for byte in bytes.dropFirst() {
                guard value < 1 << 48 else { throw .badArchive("a number is too large") }
                value = value << 8 | Int(byte)
            }
            return value
        }
        let digits = bytes.filter { $0 != 0 && $0 != 0x20 }
        if digits.isEmpty { return 0 }
        guard let value = Int(String(decoding: digits, as: UTF8.self), radix: 8), value >= 0 else {
            throw .badArchive("a number makes no sense")
        }
        return value
    }
}
