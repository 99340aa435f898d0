/// The `time.*` built-ins: nanoseconds since 1970 as `Int64`, with Go's layouts, limits and messages.
enum GoTime {
    static let rfc3339 = "2006-01-02T15:04:05Z07:00"
    static let rfc3339Nano = "2006-01-02T15:04:05.999999999Z07:00"

    /// Layouts that OPA knows by name.
    static func layout(named name: String) -> String? {
        switch name {
        case "ANSIC": "Mon Jan _2 15:04:05 2006"
        case "UnixDate": "Mon Jan _2 15:04:05 MST 2006"
        case "RubyDate": "Mon Jan 02 15:04:05 -0700 2006"
        case "RFC822": "02 Jan 06 15:04 MST"
        case "RFC822Z": "02 Jan 06 15:04 -0700"
        case "RFC850": "Monday, 02-Jan-06 15:04:05 MST"
        case "RFC1123": "Mon, 02 Jan 2006 15:04:05 MST"
        case "RFC1123Z": "Mon, 02 Jan 2006 15:04:05 -0700"
        case "RFC3339": rfc3339
        case "RFC3339Nano": rfc3339Nano
        default: nil
        }
    }

    /// The operand of `time.date` and its relatives.
    static func nanoseconds(_ number: Number) throws(SupportError) -> Int64 {
        guard let value = number.int64 else { throw .invalid("timestamp too big") }
        return value
    }

    static func parseRFC3339(_ text: String) throws(SupportError) -> Int64 {
        try parse(layout: rfc3339, value: text)
    }

    /// `layout` may be a name.
    static func parse(layout: String, value: String) throws(SupportError) -> Int64 {
        var parser = LayoutParser(layout: self.layout(named: layout) ?? layout, value: value)
        return try parser.run()
    }

    /// `layout` may be a name; an empty one means RFC 3339 with nanoseconds.
    static func format(_ nanoseconds: Int64, zone: TimeZone, layout: String = "") -> String {
        let layout = layout.isEmpty ? rfc3339Nano : self.layout(named: layout) ?? layout
        return LayoutFormatter.format(LocalTime(nanoseconds, zone), layout)
    }

    static func date(_ nanoseconds: Int64, _ zone: TimeZone) -> (Int, Int, Int) {
        let local = LocalTime(nanoseconds, zone)
        return (local.year, local.month, local.day)
    }

    static func clock(_ nanoseconds: Int64, _ zone: TimeZone) -> (Int, Int, Int) {
        let local = LocalTime(nanoseconds, zone)
        return (local.hour, local.minute, local.second)
    }

    static func weekday(_ nanoseconds: Int64, _ zone: TimeZone) -> String {
        CivilDate.weekdays[CivilDate.weekday(days: LocalTime(nanoseconds, zone).days)]
    }

    /// In UTC; months and days beyond the calendar carry over, as in Go's `AddDate`.
    static func addDate(_ nanoseconds: Int64, years: Int, months: Int, days: Int) throws(SupportError) -> Int64 {
        let local = LocalTime(nanoseconds, .utc)
        // Far beyond the valid range, but far from overflow.
        let limit = 1_000_000_000
        guard years.magnitude < UInt(limit), months.magnitude < UInt(limit), days.magnitude < UInt(limit * 1000) else {
            throw outOfRange
        }
        let month = (local.year + years) * 12 + local.month - 1 + months
        let year = CivilDate.floorDivide(month, 12)
        let day = CivilDate.days(year: year, month: month - year * 12 + 1, day: 1) + local.day - 1 + days
        return try combine(
            days: day, seconds: local.hour * 3600 + local.minute * 60 + local.second, nanosecond: local.nanosecond)
    }

    /// Years, months, days, hours, minutes and seconds between two times on the clocks of the first one's zone.
    static func difference(
        _ first: (Int64, TimeZone), _ second: (Int64, TimeZone)
    ) -> (Int, Int, Int, Int, Int, Int) {
        let early = LocalTime(min(first.0, second.0), first.1)
        let late = LocalTime(max(first.0, second.0), first.1)
        var year = late.year - early.year
        var month = late.month - early.month
        var day = late.day - early.day
        var hour = late.hour - early.hour
        var minute = late.minute - early.minute
        var second = late.second - early.second
        if second < 0 { (second, minute) = (second + 60, minute - 1) }
        if minute < 0 { (minute, hour) = (minute + 60, hour - 1) }
        if hour < 0 { (hour, day) = (hour + 24, day - 1) }
        if day < 0 { (day, month) = (day + CivilDate.daysIn(month: early.month, year: early.year), month - 1) }
        if month < 0 { (month, year) = (month + 12, year - 1) }
        return (year, month, day, hour, minute, second)
    }

    static let outOfRange = SupportError.invalid("time outside of valid range")

    /// Throws outside of 1677 to 2262, what nanoseconds in 64 bits can hold.
    static func combine(days: Int, seconds: Int, nanosecond: Int) throws(SupportError) -> Int64 {
        let (daySeconds, overflow) = days.multipliedReportingOverflow(by: 86_400)
        let (total, overflow2) = daySeconds.addingReportingOverflow(seconds)
        guard !overflow, !overflow2, total.magnitude < 10_000_000_000 else { throw outOfRange }
        let exact = Int128(total) * 1_000_000_000 + Int128(nanosecond)
        guard let result = Int64(exactly: exact) else { throw outOfRange }
        return result
    }

    /// Go's `time.ParseDuration` with OPA's extra units d, w and y (365 days).
    static func parseDuration(_ text: String) throws(SupportError) -> Int64 {
        let bytes = Array(text.utf8)
        let invalid = SupportError.invalid("time: invalid duration \(LayoutParser.quote(bytes[...]))")
        var position = 0
        var isNegative = false
        if let first = bytes.first, first == UInt8(ascii: "-") || first == UInt8(ascii: "+") {
            isNegative = first == UInt8(ascii: "-")
            position = 1
        }
        if bytes[position...].elementsEqual([UInt8(ascii: "0")]) { return 0 }
        guard position < bytes.count else { throw invalid }
        var total: UInt64 = 0
        func isDigit(_ index: Int) -> Bool {
            index < bytes.count && bytes[index] >= UInt8(ascii: "0") && bytes[index] <= UInt8(ascii: "9")
        }
        while position < bytes.count {
            guard bytes[position] == UInt8(ascii: ".") || isDigit(position) else { throw invalid }
            let start = position
            var whole: UInt64 = 0
            while isDigit(position) {
                let (scaled, overflow) = whole.multipliedReportingOverflow(by: 10)
                if overflow { throw invalid }
                whole = scaled &+ UInt64(bytes[position] - UInt8(ascii: "0"))
                if whole > 1 << 63 { throw invalid }
                position += 1
            }
            var hasDigits = position != start
            var fraction: UInt64 = 0
            var scale = 1.0
            if position < bytes.count, bytes[position] == UInt8(ascii: ".") {
                position += 1
                let fractionStart = position
                var isFull = false
                while isDigit(position) {
                    // More digits than fit change nothing.
                    if !isFull, fraction <= (1 << 63 - 1) / 10 {
                        let next = fraction * 10 + UInt64(bytes[position] - UInt8(ascii: "0"))
                        if next > 1 << 63 { isFull = true } else { (fraction, scale) = (next, scale * 10) }
                    } else {
                        isFull = true
                    }
                    position += 1
                }
                hasDigits = hasDigits || position != fractionStart
            }
            guard hasDigits else { throw invalid }
            let unitStart = position
            while position < bytes.count, bytes[position] != UInt8(ascii: "."), !isDigit(position) { position += 1 }
            if position == unitStart {
                throw .invalid("time: missing unit in duration \(LayoutParser.quote(bytes[...]))")
            }
            guard let unit = unit(bytes[unitStart..<position]) else {
                let quoted = LayoutParser.quote(bytes[unitStart..<position])
                throw .invalid("time: unknown unit \(quoted) in duration \(LayoutParser.quote(bytes[...]))")
            }
            let (product, overflow) = whole.multipliedReportingOverflow(by: unit)
            if overflow || product > 1 << 63 { throw invalid }
            var part = product
            if fraction > 0, unit >= 86_400_000_000_000 {
                // OPA turns days and longer into hours as text first, and rounds there.
                let number = Double(String(decoding: bytes[start..<unitStart], as: UTF8.self)) ?? 0
                let hours = FloatText.format(
                    number * Double(unit / 3_600_000_000_000), UInt8(ascii: "f"), precision: nil)
                guard let value = try? parseDuration(String(decoding: hours, as: UTF8.self) + "h") else {
                    throw invalid
                }
                part = UInt64(value)
            } else if fraction > 0 {
                part += UInt64(Double(fraction) * (Double(unit) / scale))
                if part > 1 << 63 { throw invalid }
            }
            total += part
            if total > 1 << 63 { throw invalid }
        }
        if isNegative { return Int64(truncatingIfNeeded: 0 &- total) }
        if total > 1 << 63 - 1 { throw invalid }
        return Int64(total)
    }

    private static func unit(_ name: ArraySlice<UInt8>) -> UInt64? {
        switch String(decoding: name, as: UTF8.self) {
        case "ns": 1
        case "us", "\u{B5}s", "\u{3BC}s": 1000
        case "ms": 1_000_000
        case "s": 1_000_000_000
        case "m": 60_000_000_000
        case "h": 3_600_000_000_000
        case "d": 86_400_000_000_000
        case "w": 7 * 86_400_000_000_000
        case "y": 365 * 86_400_000_000_000
        default: nil
        }
    }
}
