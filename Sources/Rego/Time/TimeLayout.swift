/// Go's reference-time layouts cut into elements.
enum TimeLayout {
    enum Element: Equatable, Sendable {
        case longMonth, month, numberMonth, zeroMonth
        case longWeekday, weekday
        case day, underDay, zeroDay, underYearDay, zeroYearDay
        case hour, hour12, zeroHour12, minute, zeroMinute, second, zeroSecond
        case longYear, year
        case upperPM, lowerPM
        case zoneName
        case zone(ZoneForm)
        /// Always this many digits, or as many as needed up to this many.
        case fraction(digits: Int, trims: Bool, separator: UInt8)
    }

    struct ZoneForm: Equatable, Sendable {
        /// `Z` for no offset.
        var hasZ: Bool
        var hasColons: Bool
        /// Pairs of digits: hours, minutes, seconds.
        var parts: Int
    }

    /// The text before the next element, the element, and where the layout goes on.
    static func next(_ layout: [UInt8], _ start: Int) -> (prefixEnd: Int, element: Element, end: Int)? {
        for position in start..<layout.count {
            if let (length, element, skip) = element(layout, position) {
                return (position + skip, element, position + skip + length)
            }
        }
        return nil
    }

    /// Length and element at `position`; `skip` bytes before it belong to the prefix.
    private static func element(_ layout: [UInt8], _ position: Int) -> (Int, Element, Int)? {
        func has(_ text: StaticString) -> Bool {
            let count = text.utf8CodeUnitCount
            guard layout.count - position >= count else { return false }
            return text.withUTF8Buffer { $0.elementsEqual(layout[position..<(position + count)]) }
        }
        func lowerFollows(_ offset: Int) -> Bool {
            let index = position + offset
            return index < layout.count && layout[index] >= UInt8(ascii: "a") && layout[index] <= UInt8(ascii: "z")
        }
        switch layout[position] {
        case UInt8(ascii: "J"):
            if has("January") { return (7, .longMonth, 0) }
            if has("Jan"), !lowerFollows(3) { return (3, .month, 0) }
        case UInt8(ascii: "M"):
            if has("Monday") { return (6, .longWeekday, 0) }
            if has("Mon"), !lowerFollows(3) { return (3, .weekday, 0) }
            if has("MST") { return (3, .zoneName, 0) }
        case UInt8(ascii: "0"):
            if has("01") { return (2, .zeroMonth, 0) }
            if has("02") { return (2, .zeroDay, 0) }
            if has("03") { return (2, .zeroHour12, 0) }
            if has("04") { return (2, .zeroMinute, 0) }
            if has("05") { return (2, .zeroSecond, 0) }
            if has("06") { return (2, .year, 0) }
            if has("002") { return (3, .zeroYearDay, 0) }
        case UInt8(ascii: "1"): return has("15") ? (2, .hour, 0) : (1, .numberMonth, 0)
        case UInt8(ascii: "2"): return has("2006") ? (4, .longYear, 0) : (1, .day, 0)
        case UInt8(ascii: "_"):
            // The underscore of `_2006` is text.
            if has("_2006") { return (4, .longYear, 1) }
            if has("_2") { return (2, .underDay, 0) }
            if has("__2") { return (3, .underYearDay, 0) }
        case UInt8(ascii: "3"): return (1, .hour12, 0)
        case UInt8(ascii: "4"): return (1, .minute, 0)
        case UInt8(ascii: "5"): return (1, .second, 0)
        case UInt8(ascii: "P"): if has("PM") { return (2, .upperPM, 0) }
        case UInt8(ascii: "p"): if has("pm") { return (2, .lowerPM, 0) }
        case UInt8(ascii: "-"), UInt8(ascii: "Z"):
            let hasZ = layout[position] == UInt8(ascii: "Z")
            func zone(_ colons: Bool, _ parts: Int) -> Element {
                .zone(ZoneForm(hasZ: hasZ, hasColons: colons, parts: parts))
            }
            let tail = layout[(position + 1)...].prefix(8)
            if tail.starts(with: "070000".utf8) { return (7, zone(false, 3), 0) }
            if tail.starts(with: "07:00:00".utf8) { return (9, zone(true, 3), 0) }
            if tail.starts(with: "0700".utf8) { return (5, zone(false, 2), 0) }
            if tail.starts(with: "07:00".utf8) { return (6, zone(true, 2), 0) }
            if tail.starts(with: "07".utf8) { return (3, zone(false, 1), 0) }
        case UInt8(ascii: "."), UInt8(ascii: ","):
            guard position + 1 < layout.count else { return nil }
            let digit = layout[position + 1]
            guard digit == UInt8(ascii: "0") || digit == UInt8(ascii: "9") else { return nil }
            var end = position + 1
            while end < layout.count, layout[end] == digit { end += 1 }
            let digitFollows =
                end < layout.count && layout[end] >= UInt8(ascii: "0") && layout[end] <= UInt8(ascii: "9")
            if digitFollows { return nil }
            return (
                end - position,
                .fraction(
                    digits: end - position - 1, trims: digit == UInt8(ascii: "9"), separator: layout[position]), 0
            )
        default: break
        }
        return nil
    }
}
