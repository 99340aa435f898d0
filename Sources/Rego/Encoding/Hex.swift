/// Hexadecimal digits, with the messages of Go's `encoding/hex`.
enum Hex {
    static func encode(_ bytes: some Sequence<UInt8>) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }

    static func decode(_ text: String) throws(SupportError) -> [UInt8] {
        let bytes = Array(text.utf8)
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count / 2)
        var pending: UInt8?
        for byte in bytes {
            guard let digit = BigInt.digit(byte), digit < 16 else {
                let code = String(byte, radix: 16, uppercase: true)
                let padding = String(repeating: "0", count: 4 - code.utf8.count)
                throw .invalid("encoding/hex: invalid byte: U+\(padding)\(code) \(GoText.quote(rune: UInt32(byte)))")
            }
            if let high = pending {
                result.append(high << 4 | UInt8(digit))
                pending = nil
            } else {
                pending = UInt8(digit)
            }
        }
        if pending != nil { throw .invalid("encoding/hex: odd length hex string") }
        return result
    }
}
