/// A span of time as policies write it: whole numbers with `d`, `h`, `m` or `s`, the larger unit first (`8h`, `1h30m`).
public struct PolicyDuration: Sendable, Equatable, CustomStringConvertible {
    public let seconds: Int

    public init(seconds: Int) { self.seconds = seconds }

    /// Nil for every other form, for a unit given twice and for more than a hundred years.
    public init?(_ text: String) {
        var total = 0
        var digits = ""
        var least = Int.max
        for character in text.unicodeScalars {
            if ("0"..."9").contains(character) {
                digits.unicodeScalars.append(character)
                continue
            }
            guard let number = Int(digits), let unit = Self.units.first(where: { $0.letter == character }),
                unit.seconds < least
            else { return nil }
            let (product, overflow) = number.multipliedReportingOverflow(by: unit.seconds)
            if overflow || product > Self.most || total + product > Self.most { return nil }
            (total, digits, least) = (total + product, "", unit.seconds)
        }
        if least == .max || !digits.isEmpty { return nil }
        seconds = total
    }

    private static let most = 100 * 366 * 86400
    private static let units: [(letter: Unicode.Scalar, seconds: Int)] = [
        ("d", 86400), ("h", 3600), ("m", 60), ("s", 1),
    ]

    /// The shortest form that reads back: `8h`, `1h30m`, `0s`.
    public var description: String {
        var rest = seconds
        var text = ""
        for unit in Self.units where rest >= unit.seconds {
            text += "\(rest / unit.seconds)\(unit.letter)"
            rest %= unit.seconds
        }
        return text.isEmpty ? "0s" : text
    }
}
