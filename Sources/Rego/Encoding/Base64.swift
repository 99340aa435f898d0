/// Base64 (RFC 4648) as Go's `encoding/base64` reads it: strict padding, line breaks ignored.
enum Base64 {
    private static let standard = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    private static let urlSafe = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

    static func encode(_ bytes: [UInt8], url: Bool, padded: Bool = true) -> String {
        let alphabet = url ? urlSafe : standard
        var result: [UInt8] = []
        result.reserveCapacity((bytes.count + 2) / 3 * 4)
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let count = min(3, bytes.count - start)
            var group = UInt32(bytes[start]) << 16
            if count > 1 { group |= UInt32(bytes[start + 1]) << 8 }
            if count > 2 { group |= UInt32(bytes[start + 2]) }
            for digit in 0...count { result.append(alphabet[Int(group >> UInt32(18 - 6 * digit) & 63)]) }
            if padded { result += repeatElement(UInt8(ascii: "="), count: 3 - count) }
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// `url`: the other alphabet, and missing padding is added first, as OPA does.
    static func decode(_ text: String, url: Bool) throws(SupportError) -> [UInt8] {
        var bytes = Array(text.utf8)
        if url, bytes.last != UInt8(ascii: "=") {
            switch bytes.count % 4 {
            case 0: break
            case 2: bytes += [UInt8(ascii: "="), UInt8(ascii: "=")]
            case 3: bytes.append(UInt8(ascii: "="))
            default: throw .invalid("illegal base64url string: \(text)")
            }
        }
        return try decode(bytes, values: url ? urlValues : standardValues)
    }

    static func isValid(_ text: String) -> Bool { (try? decode(text, url: false)) != nil }

    private static func decode(_ bytes: [UInt8], values: [UInt8]) throws(SupportError) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count / 4 * 3)
        var group: UInt32 = 0
        var count = 0
        var position = 0
        func illegal(_ at: Int) -> SupportError { .invalid("illegal base64 data at input byte \(at)") }
        func skipBreaks() {
            while position < bytes.count, bytes[position] == 10 || bytes[position] == 13 { position += 1 }
        }
        while true {
            skipBreaks()
            guard position < bytes.count else { break }
            let byte = bytes[position]
            position += 1
            let value = values[Int(byte)]
            if value < 64 {
                group = group << 6 | UInt32(value)
                count += 1
                if count == 4 {
                    result += [UInt8(truncatingIfNeeded: group >> 16), UInt8(truncatingIfNeeded: group >> 8)]
                    result.append(UInt8(truncatingIfNeeded: group))
                    (group, count) = (0, 0)
                }
                continue
            }
            guard byte == UInt8(ascii: "="), count >= 2 else { throw illegal(position - 1) }
            if count == 2 {
                skipBreaks()
                guard position < bytes.count else { throw illegal(bytes.count) }
                guard bytes[position] == UInt8(ascii: "=") else { throw illegal(position - 1) }
                position += 1
            }
            skipBreaks()
            if position < bytes.count { throw illegal(position) }
            group <<= UInt32(6 * (4 - count))
            result.append(UInt8(truncatingIfNeeded: group >> 16))
            if count == 3 { result.append(UInt8(truncatingIfNeeded: group >> 8)) }
            return result
        }
        // Go reports where the incomplete group begins.
        if count > 0 { throw illegal(position - count) }
        return result
    }

    private static let standardValues = table(standard)
    private static let urlValues = table(urlSafe)

    private static func table(_ alphabet: [UInt8]) -> [UInt8] {
        var table = [UInt8](repeating: 0xFF, count: 256)
        for (value, byte) in alphabet.enumerated() { table[Int(byte)] = UInt8(value) }
        return table
    }
}
