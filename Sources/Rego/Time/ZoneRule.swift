/// A POSIX TZ rule such as `EST5EDT,M3.2.0,M11.1.0`: what holds behind a zone file's last transition.
struct ZoneRule: Sendable {
    /// When a half of the year begins: a day and a time on it.
    private enum Start: Sendable {
        /// 1 to 365, without leap days.
        case julian(Int)
        /// 0 to 365.
        case dayOfYear(Int)
        case weekday(month: Int, week: Int, day: Int)
    }

    private let standard: TimeZone.Period
    private let daylight: TimeZone.Period?
    private var daylightStart = (day: Start.weekday(month: 3, week: 2, day: 0), seconds: 7200)
    private var standardStart = (day: Start.weekday(month: 11, week: 1, day: 0), seconds: 7200)

    init?(_ text: [UInt8]) {
        var scan = Scan(text: text)
        guard let name = scan.name(), let offset = scan.time() else { return nil }
        standard = TimeZone.Period(offset: -offset, abbreviation: name, isDaylight: false)
        if scan.isAtEnd {
            daylight = nil
            return
        }
        guard let daylightName = scan.name() else { return nil }
        var daylightOffset = -offset + 3600
        if !scan.isAtEnd, scan.peek != UInt8(ascii: ",") {
            guard let offset = scan.time() else { return nil }
            daylightOffset = -offset
        }
        daylight = TimeZone.Period(offset: daylightOffset, abbreviation: daylightName, isDaylight: true)
        if scan.isAtEnd { return }
        guard scan.take(","), let first = ZoneRule.start(&scan), scan.take(","), let second = ZoneRule.start(&scan),
            scan.isAtEnd
        else { return nil }
        daylightStart = first
        standardStart = second
    }

    func period(at seconds: Int) -> TimeZone.Period {
        guard let daylight else { return standard }
        let year = CivilDate.date(days: CivilDate.floorDivide(seconds + standard.offset, 86_400)).year
        let yearStart = CivilDate.days(year: year, month: 1, day: 1) * 86_400
        let on = yearStart + ZoneRule.seconds(daylightStart, year) - standard.offset
        let off = yearStart + ZoneRule.seconds(standardStart, year) - daylight.offset
        // In the south the year begins in daylight time.
        let isDaylight = on < off ? seconds >= on && seconds < off : seconds >= on || seconds < off
        return isDaylight ? daylight : standard
    }

    /// Seconds from the start of the year.
    private static func seconds(_ start: (day: Start, seconds: Int), _ year: Int) -> Int {
        let days: Int
        switch start.day {
        case .julian(let day): days = day - 1 + (CivilDate.isLeap(year) && day >= 60 ? 1 : 0)
        case .dayOfYear(let day): days = day
        case .weekday(let month, let week, let day):
            let first = CivilDate.days(year: year, month: month, day: 1)
            var ofMonth = (day - CivilDate.weekday(days: first) + 7) % 7 + (week - 1) * 7
            // Week 5 is the last one.
            if ofMonth >= CivilDate.daysIn(month: month, year: year) { ofMonth -= 7 }
            days = first + ofMonth - CivilDate.days(year: year, month: 1, day: 1)
        }
        return days * 86_400 + start.seconds
    }

    private static func start(_ scan: inout Scan) -> (day: Start, seconds: Int)? {
        let day: Start
        if scan.take("M") {
            guard let month = scan.number(1...12), scan.take("."), let week = scan.number(1...5), scan.take("."),
                let weekday = scan.number(0...6)
            else { return nil }
            day = .weekday(month: month, week: week, day: weekday)
        } else if scan.take("J") {
            guard let number = scan.number(1...365) else { return nil }
            day = .julian(number)
        } else {
            guard let number = scan.number(0...365) else { return nil }
            day = .dayOfYear(number)
        }
        guard scan.take("/") else { return (day, 7200) }
        guard let seconds = scan.time() else { return nil }
        return (day, seconds)
    }

    private struct Scan {
        let text: [UInt8]
        var position = 0

        var isAtEnd: Bool { position >= text.count }
        var peek: UInt8? { position < text.count ? text[position] : nil }

        mutating func take(_ character: Unicode.Scalar) -> Bool {
            guard peek == UInt8(ascii: character) else { return false }
            position += 1
            return true
        }

        /// Letters, or anything in angle brackets.
        mutating func name() -> String? {
            if take("<") {
                let name = text[position...].prefix { $0 != UInt8(ascii: ">") }
                position += name.count
                return take(">") ? String(decoding: name, as: UTF8.self) : nil
            }
            let name = text[position...].prefix { $0 | 0x20 >= UInt8(ascii: "a") && $0 | 0x20 <= UInt8(ascii: "z") }
            position += name.count
            return name.count >= 3 ? String(decoding: name, as: UTF8.self) : nil
        }

        mutating func number(_ range: ClosedRange<Int>) -> Int? {
            let start = position
            var value = 0
            while let byte = peek, byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9"), value < 10_000 {
                value = value * 10 + Int(byte - UInt8(ascii: "0"))
                position += 1
            }
            return position > start && range.contains(value) ? value : nil
        }

        /// `[+-]hh[:mm[:ss]]` in seconds.
        mutating func time() -> Int? {
            var sign = 1
            if take("-") { sign = -1 } else { _ = take("+") }
            guard let hours = number(0...167) else { return nil }
            var seconds = hours * 3600
            if take(":") {
                guard let minutes = number(0...59) else { return nil }
                seconds += minutes * 60
                if take(":") {
                    guard let rest = number(0...59) else { return nil }
                    seconds += rest
                }
            }
            return sign * seconds
        }
    }
}
