import AiboxCrypto
public import AiboxSystem

/// The identity of an event: a ULID (github.com/ulid/spec), so that ids sort by time.
///
/// 48 bits of milliseconds since 1970 and 80 random bits, written as 26 characters of Crockford's base 32. Within one
/// log each id is greater than the one before, also when the clock is set back.
public struct EventID: Sendable, Hashable, Comparable, CustomStringConvertible {
    private var high: UInt64
    private var low: UInt64

    private static let alphabet = Array("0123456789ABCDEFGHJKMNPQRSTVWXYZ".utf8)
    /// Characters of the text form.
    public static let length = 26

    init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// From 26 characters, upper case as written; nil for anything else.
    public init?(_ text: some StringProtocol) {
        guard text.utf8.count == Self.length else { return nil }
        var value: (high: UInt64, low: UInt64) = (0, 0)
        for (position, character) in text.utf8.enumerated() {
            guard let digit = Self.alphabet.firstIndex(of: character), position > 0 || digit < 8 else { return nil }
            value = (value.high << 5 | value.low >> 59, value.low << 5 | UInt64(digit))
        }
        self.init(high: value.high, low: value.low)
    }

    /// One that nothing else has.
    public static func fresh() throws(AiboxError) -> EventID { try next(after: EventID(high: 0, low: 0), at: .now) }

    /// The next id at a moment: greater than `previous`, whatever the clock says.
    static func next(after previous: EventID, at time: Timestamp) throws(AiboxError) -> EventID {
        let milliseconds = UInt64(clamping: time.seconds * 1000 + Int64(time.nanoseconds) / 1_000_000)
        if milliseconds > previous.high >> 16 {
            let random = try SecureRandom.bytes(10)
            let high = random.prefix(2).reduce(0) { $0 << 8 | UInt64($1) }
            return EventID(
                high: milliseconds << 16 | high, low: random.dropFirst(2).reduce(0) { $0 << 8 | UInt64($1) })
        }
        let (low, carry) = previous.low.addingReportingOverflow(1)
        return EventID(high: carry ? previous.high + 1 : previous.high, low: low)
    }

    /// 16 bytes, most significant first.
    var bytes: [UInt8] {
        [high, low].flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> (56 - 8 * $0)) } }
    }

    init(bytes: some Collection<UInt8>) {
        high = bytes.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
        low = bytes.dropFirst(8).prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
    }

    public var description: String {
        var text: [UInt8] = []
        append(to: &text)
        return String(decoding: text, as: UTF8.self)
    }

    func append(to text: inout [UInt8]) {
        for position in 0..<Self.length {
            let shift = 5 * (Self.length - 1 - position)
            let digit =
                shift >= 64 ? high >> (shift - 64) : shift > 59 ? high << (64 - shift) | low >> shift : low >> shift
            text.append(Self.alphabet[Int(digit & 31)])
        }
    }

    public static func < (left: EventID, right: EventID) -> Bool { (left.high, left.low) < (right.high, right.low) }
}
