/// Prints a time in a Go layout.
enum LayoutFormatter {
    static func format(_ time: LocalTime, _ layout: String) -> String {
        let bytes = Array(layout.utf8)
        var result: [UInt8] = []
        var position = 0
        while let (prefixEnd, element, end) = TimeLayout.next(bytes, position) {
            result += bytes[position..<prefixEnd]
            append(element, time, to: &result)
            position = end
        }
        result += bytes[position...]
        return String(decoding: result, as: UTF8.self)
    }

    private static func append(_ element: TimeLayout.Element, _ time: LocalTime, to result: inout [UInt8]) {
        switch element {
        case .longMonth: result += CivilDate.months[time.month - 1].utf8
        case .month: result += CivilDate.months[time.month - 1].utf8.prefix(3)
        case .numberMonth: append(time.month, 0, to: &result)
        case .zeroMonth: append(time.month, 2, to: &result)
        case .longWeekday: result += CivilDate.weekdays[CivilDate.weekday(days: time.days)].utf8
        case .weekday: result += CivilDate.weekdays[CivilDate.weekday(days: time.days)].utf8.prefix(3)
        case .day: append(time.day, 0, to: &result)
        case .underDay: append(time.day, 2, pad: " ", to: &result)
        case .zeroDay: append(time.day, 2, to: &result)
        case .underYearDay, .zeroYearDay:
            let day = CivilDate.dayOfYear(year: time.year, month: time.month, day: time.day)
            append(day, 3, pad: element == .underYearDay ? " " : "0", to: &result)
        case .hour: append(time.hour, 2, to: &result)
        case .hour12: append(time.hour % 12 == 0 ? 12 : time.hour % 12, 0, to: &result)
        case .zeroHour12: append(time.hour % 12 == 0 ? 12 : time.hour % 12, 2, to: &result)
        case .minute: append(time.minute, 0, to: &result)
        case .zeroMinute: append(time.minute, 2, to: &result)
        case .second: append(time.second, 0, to: &result)
        case .zeroSecond: append(time.second, 2, to: &result)
        case .longYear: append(time.year, 4, to: &result)
        case .year: append(time.year % 100, 2, to: &result)
        case .upperPM: result += (time.hour >= 12 ? "PM" : "AM").utf8
        case .lowerPM: result += (time.hour >= 12 ? "pm" : "am").utf8
        case .zoneName:
            if time.abbreviation.isEmpty {
                appendZone(time.offset, TimeLayout.ZoneForm(hasZ: false, hasColons: false, parts: 2), to: &result)
            } else {
                result += time.abbreviation.utf8
            }
        case .zone(let form): appendZone(time.offset, form, to: &result)
        case .fraction(let digits, let trims, let separator):
            appendFraction(time.nanosecond, digits, trims, separator, to: &result)
        }
    }

    private static func appendZone(_ offset: Int, _ form: TimeLayout.ZoneForm, to result: inout [UInt8]) {
        if form.hasZ, offset == 0 {
            result.append(UInt8(ascii: "Z"))
            return
        }
        // Go divides to minutes first, so that only those decide on the sign.
        let minutes = abs(offset / 60)
        result.append(offset / 60 < 0 ? UInt8(ascii: "-") : UInt8(ascii: "+"))
        append(minutes / 60, 2, to: &result)
        if form.parts > 1 {
            if form.hasColons { result.append(UInt8(ascii: ":")) }
            append(minutes % 60, 2, to: &result)
        }
        if form.parts > 2 {
            if form.hasColons { result.append(UInt8(ascii: ":")) }
            append(abs(offset) % 60, 2, to: &result)
        }
    }

    private static func appendFraction(
        _ nanosecond: Int, _ digits: Int, _ trims: Bool, _ separator: UInt8, to result: inout [UInt8]
    ) {
        var text = Array(String(nanosecond).utf8)
        text = repeatElement(UInt8(ascii: "0"), count: 9 - text.count) + text
        text = Array(text.prefix(digits)) + repeatElement(UInt8(ascii: "0"), count: trims ? 0 : max(0, digits - 9))
        if trims {
            while text.last == UInt8(ascii: "0") { text.removeLast() }
            if text.isEmpty { return }
        }
        result.append(separator)
        result += text
    }

    private static func append(_ value: Int, _ width: Int, pad: Unicode.Scalar = "0", to result: inout [UInt8]) {
        let text = String(value).utf8
        if text.count < width { result += repeatElement(UInt8(ascii: pad), count: width - text.count) }
        result += text
    }
}
