/// An amount of memory or storage, in bytes.
///
/// Written as a whole number with an optional unit `k`, `m`, `g` or `t` in steps of 1024; `8g`, `8G`, `8gb`, `8GiB`
/// and `8Gi` are the same. These are the rules of podman's and docker's `--memory`.
public struct ByteSize: Sendable, Hashable, Comparable, CustomStringConvertible {
    public var bytes: Int64

    public init(bytes: Int64) { self.bytes = bytes }
    public init(mebibytes: Int64) { bytes = mebibytes << 20 }
    public init(gibibytes: Int64) { bytes = gibibytes << 30 }

    /// Reads the form above; nil if the text has another form or the amount does not fit.
    public init?(_ text: String) {
        var digits: Int64 = 0
        var rest = Array(text.utf8)[...]
        guard let first = rest.first, Self.digit(first) != nil else { return nil }
        while let byte = rest.first, let digit = Self.digit(byte) {
            let (tens, overflow) = digits.multipliedReportingOverflow(by: 10)
            let (sum, carry) = tens.addingReportingOverflow(digit)
            if overflow || carry { return nil }
            digits = sum
            rest.removeFirst()
        }
        let unit = String(decoding: rest, as: UTF8.self).lowercased()
        guard let shift = Self.shifts[unit] else { return nil }
        let (bytes, overflow) = digits.multipliedReportingOverflow(by: 1 << shift)
        if overflow { return nil }
        self.bytes = bytes
    }

    private static func digit(_ byte: UInt8) -> Int64? {
        byte >= 0x30 && byte <= 0x39 ? Int64(byte - 0x30) : nil
    }

    private static let shifts: [String: Int64] = {
        var table: [String: Int64] = ["": 0, "b": 0]
        for (unit, shift) in [("k", 10), ("m", 20), ("g", 30), ("t", 40)] as [(String, Int64)] {
            for ending in ["", "b", "i", "ib"] { table[unit + ending] = shift }
        }
        return table
    }()

    public static func < (left: ByteSize, right: ByteSize) -> Bool { left.bytes < right.bytes }

    /// The shortest exact form, which also reads back: `8g`, `1536m`, `1000`.
    public var description: String {
        for (unit, shift) in [("t", 40), ("g", 30), ("m", 20), ("k", 10)] as [(String, Int64)] {
            if bytes != 0, bytes & ((1 << shift) - 1) == 0 { return String(bytes >> shift) + unit }
        }
        return String(bytes)
    }
}
