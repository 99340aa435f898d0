/// Reads a time in a Go layout, with the tolerance and the messages of Go's `time.Parse`.
struct LayoutParser {
    private enum Problem: Error {
        case bad
        case outOfRange(String)
    }

    private let layoutText: String
    private let layout: [UInt8]
    private let text: [UInt8]
    private var value: ArraySlice<UInt8>

    private var year = 0
    private var month: Int?
    private var day: Int?
    private var yearDay: Int?
    private var hour = 0
    private var minute = 0
    private var second = 0
    private var nanosecond = 0
    private var isPM: Bool?
    private var offset: Int?

    init(layout: String, value: String) {
        layoutText = layout
        self.layout = Array(layout.utf8)
        text = Array(value.utf8)
        self.value = text[...]
    }

    mutating func run() throws(SupportError) -> Int64 {
        var position = 0
        while true {
            let next = TimeLayout.next(layout, position)
            let prefix = layout[position..<(next?.prefixEnd ?? layout.count)]
            if !skip(prefix) { throw mismatch(prefix, value) }
            guard let next else {
                if !value.isEmpty { throw failure(": extra text: \(LayoutParser.quote(value))") }
                break
            }
            let before = value
            do throws(Problem) {
                try read(next.element, end: next.end)
            } catch {
                switch error {
                case .bad: throw mismatch(layout[next.prefixEnd..<next.end], before)
                case .outOfRange(let what): throw failure(": \(what) out of range")
                }
            }
            position = next.end
        }
        return try finish()
    }

    private mutating func finish() throws(SupportError) -> Int64 {
        if isPM == true, hour < 12 { hour += 12 } else if isPM == false, hour == 12 { hour = 0 }
        if let yearDay {
            guard yearDay >= 1, yearDay <= (CivilDate.isLeap(year) ? 366 : 365) else {
                throw failure(": day-of-year out of range")
            }
            let date = CivilDate.date(days: CivilDate.days(year: year, month: 1, day: 1) + yearDay - 1)
            if let month, month != date.month { throw failure(": day-of-year does not match month") }
            if let day, day != date.day { throw failure(": day-of-year does not match day") }
            (month, day) = (date.month, date.day)
        }
        let (month, day) = (month ?? 1, day ?? 1)
        if day < 1 || day > CivilDate.daysIn(month: month, year: year) { throw failure(": day out of range") }
        return try GoTime.combine(
            days: CivilDate.days(year: year, month: month, day: day),
            seconds: hour * 3600 + minute * 60 + second - (offset ?? 0),
            nanosecond: nanosecond
        )
    }

    // MARK: Elements

    private mutating func read(_ element: TimeLayout.Element, end: Int) throws(Problem) {
        switch element {
        case .year:
            let number = try integer(take(2))
            year = number >= 69 ? number + 1900 : number + 2000
        case .longYear:
            guard value.count >= 4, isDigit(0) else { throw .bad }
            year = try integer(take(4))
        case .month: month = try lookUp(CivilDate.months.map { String($0.prefix(3)) }) + 1
        case .longMonth: month = try lookUp(CivilDate.months) + 1
        case .numberMonth, .zeroMonth:
            let number = try twoDigits(isFixed: element == .zeroMonth)
            guard (1...12).contains(number) else { throw .outOfRange("month") }
            month = number
        case .weekday: _ = try lookUp(CivilDate.weekdays.map { String($0.prefix(3)) })
        case .longWeekday: _ = try lookUp(CivilDate.weekdays)
        case .day, .underDay, .zeroDay:
            if element == .underDay { skipSpace() }
            day = try twoDigits(isFixed: element == .zeroDay)
        case .underYearDay, .zeroYearDay:
            if element == .underYearDay {
                skipSpace()
                skipSpace()
            }
            yearDay = try threeDigits(isFixed: element == .zeroYearDay)
        case .hour: hour = try limited(twoDigits(isFixed: false), 24, "hour")
        case .hour12, .zeroHour12: hour = try limited(twoDigits(isFixed: element == .zeroHour12), 13, "hour")
        case .minute, .zeroMinute: minute = try limited(twoDigits(isFixed: element == .zeroMinute), 60, "minute")
        case .second, .zeroSecond:
            second = try limited(twoDigits(isFixed: element == .zeroSecond), 60, "second")
            try readUnannouncedFraction(end)
        case .upperPM, .lowerPM:
            let word = String(decoding: try take(2), as: UTF8.self)
            let (pm, am) = element == .upperPM ? ("PM", "AM") : ("pm", "am")
            guard word == pm || word == am else { throw .bad }
            isPM = word == pm
        case .zone(let form): try readZone(form)
        case .zoneName:
            guard let length = ZoneName.length(value) else { throw .bad }
            value = value.dropFirst(length)
        case .fraction(let digits, let trims, _): try readFraction(digits, trims)
        }
    }

    /// `05` also takes a fraction, unless the layout goes on with one.
    private mutating func readUnannouncedFraction(_ end: Int) throws(Problem) {
        guard value.count >= 2, isSeparator(0), isDigit(1) else { return }
        if case .fraction = TimeLayout.next(layout, end)?.element { return }
        var length = 2
        while isDigit(length) { length += 1 }
        nanosecond = try nanoseconds(length)
    }

    private mutating func readFraction(_ digits: Int, _ trims: Bool) throws(Problem) {
        if trims {
            guard value.count >= 2, isSeparator(0), isDigit(1) else { return }
            var length = 1
            while isDigit(length) { length += 1 }
            nanosecond = try nanoseconds(length)
        } else {
            guard value.count >= digits + 1 else { throw .bad }
            nanosecond = try nanoseconds(digits + 1)
        }
    }

    private mutating func readZone(_ form: TimeLayout.ZoneForm) throws(Problem) {
        if form.hasZ, value.first == UInt8(ascii: "Z") {
            value = value.dropFirst()
            offset = 0
            return
        }
        let length = 1 + form.parts * 2 + (form.hasColons ? form.parts - 1 : 0)
        let text = try Array(take(length))
        var numbers = [0, 0, 0]
        let step = form.hasColons ? 3 : 2
        for part in 1..<form.parts where form.hasColons && text[part * step] != UInt8(ascii: ":") { throw .bad }
        var isComplete = true
        for part in 0..<form.parts {
            guard let tens = digit(text[1 + part * step]), let ones = digit(text[2 + part * step]) else {
                isComplete = false
                break
            }
            numbers[part] = tens * 10 + ones
        }
        // 24 hours and 60 minutes are let through, as Go does.
        if numbers[2] > 60 { throw .outOfRange("time zone offset second") }
        if numbers[1] > 60 { throw .outOfRange("time zone offset minute") }
        if numbers[0] > 24 { throw .outOfRange("time zone offset hour") }
        if !isComplete { throw .bad }
        let seconds = numbers[0] * 3600 + numbers[1] * 60 + numbers[2]
        switch text[0] {
        case UInt8(ascii: "+"): offset = seconds
        case UInt8(ascii: "-"): offset = -seconds
        default: throw .bad
        }
    }

    // MARK: Pieces

    private func byte(_ index: Int) -> UInt8? { index < value.count ? value[value.startIndex + index] : nil }

    private func digit(_ byte: UInt8?) -> Int? {
        guard let byte, byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return nil }
        return Int(byte - UInt8(ascii: "0"))
    }

    private func isDigit(_ index: Int) -> Bool { digit(byte(index)) != nil }

    private func isSeparator(_ index: Int) -> Bool {
        byte(index) == UInt8(ascii: ".") || byte(index) == UInt8(ascii: ",")
    }

    private mutating func take(_ count: Int) throws(Problem) -> ArraySlice<UInt8> {
        guard value.count >= count else { throw .bad }
        defer { value = value.dropFirst(count) }
        return value.prefix(count)
    }

    private mutating func skipSpace() {
        if value.first == UInt8(ascii: " ") { value = value.dropFirst() }
    }

    private func integer(_ text: ArraySlice<UInt8>) throws(Problem) -> Int {
        var text = text
        var isNegative = false
        if text.first == UInt8(ascii: "-") || text.first == UInt8(ascii: "+") {
            isNegative = text.first == UInt8(ascii: "-")
            text = text.dropFirst()
        }
        if text.isEmpty { throw .bad }
        var number = 0
        for byte in text {
            guard let digit = digit(byte) else { throw .bad }
            number = number * 10 + digit
        }
        return isNegative ? -number : number
    }

    private mutating func twoDigits(isFixed: Bool) throws(Problem) -> Int {
        guard let first = digit(byte(0)) else { throw .bad }
        guard let second = digit(byte(1)) else {
            if isFixed { throw .bad }
            value = value.dropFirst()
            return first
        }
        value = value.dropFirst(2)
        return first * 10 + second
    }

    private mutating func threeDigits(isFixed: Bool) throws(Problem) -> Int {
        var number = 0
        var count = 0
        while count < 3, let digit = digit(byte(count)) {
            number = number * 10 + digit
            count += 1
        }
        if count == 0 || (isFixed && count != 3) { throw .bad }
        value = value.dropFirst(count)
        return number
    }

    private func limited(_ number: Int, _ end: Int, _ name: String) throws(Problem) -> Int {
        if number >= end { throw .outOfRange(name) }
        return number
    }

    private mutating func lookUp(_ names: [String]) throws(Problem) -> Int {
        for (index, name) in names.enumerated() {
            let length = name.utf8.count
            guard value.count >= length else { continue }
            if zip(value, name.utf8).allSatisfy({ $0 == $1 || ($0 | 0x20 == $1 | 0x20 && $0 | 0x20 >= 0x61) }) {
                value = value.dropFirst(length)
                return index
            }
        }
        throw .bad
    }

    /// A separator and digits, `length` bytes in all; those beyond nanoseconds are dropped.
    private mutating func nanoseconds(_ length: Int) throws(Problem) -> Int {
        guard isSeparator(0) else { throw .bad }
        let digits = Array(value.prefix(min(length, 10)).dropFirst())
        guard !digits.isEmpty else { throw .bad }
        let number = try integer(digits[...])
        if number < 0 { throw .outOfRange("fractional second") }
        value = value.dropFirst(length)
        var result = number
        for _ in digits.count..<9 { result *= 10 }
        return result
    }

    /// Runs of spaces in the layout match any run, also none at the end.
    private mutating func skip(_ prefix: ArraySlice<UInt8>) -> Bool {
        var prefix = prefix
        let space = UInt8(ascii: " ")
        while let first = prefix.first {
            if first == space {
                if let next = value.first, next != space { return false }
                prefix = prefix.drop { $0 == space }
                value = value.drop { $0 == space }
                continue
            }
            guard value.first == first else { return false }
            prefix = prefix.dropFirst()
            value = value.dropFirst()
        }
        return true
    }

    // MARK: Messages

    private func mismatch(_ layoutPart: ArraySlice<UInt8>, _ valuePart: ArraySlice<UInt8>) -> SupportError {
        .invalid(
            "parsing time \(LayoutParser.quote(text[...])) as \(LayoutParser.quote(layout[...])): cannot parse "
                + "\(LayoutParser.quote(valuePart)) as \(LayoutParser.quote(layoutPart))")
    }

    private func failure(_ reason: String) -> SupportError {
        .invalid("parsing time \(LayoutParser.quote(text[...]))\(reason)")
    }

    /// Package time's own quoting: bytes outside of printable ASCII as `\xNN`.
    static func quote(_ bytes: ArraySlice<UInt8>) -> String {
        var result: [UInt8] = [UInt8(ascii: "\"")]
        let hex = Array("0123456789abcdef".utf8)
        for byte in bytes {
            if byte >= 0x80 || byte < 0x20 {
                result += [UInt8(ascii: "\\"), UInt8(ascii: "x"), hex[Int(byte >> 4)], hex[Int(byte & 15)]]
            } else {
                if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { result.append(UInt8(ascii: "\\")) }
                result.append(byte)
            }
        }
        result.append(UInt8(ascii: "\""))
        return String(decoding: result, as: UTF8.self)
    }
}

/// What Go takes for a zone abbreviation.
enum ZoneName {
    /// Bytes of the abbreviation at the start of `text`.
    static func length(_ text: ArraySlice<UInt8>) -> Int? {
        let bytes = Array(text.prefix(8))
        guard bytes.count >= 3 else { return nil }
        if bytes.starts(with: "UTC".utf8) { return 3 }
        if bytes.starts(with: "ChST".utf8) || bytes.starts(with: "MeST".utf8) { return 4 }
        if bytes.starts(with: "GMT".utf8) { return 3 + signedOffset(text.dropFirst(3)) }
        if bytes[0] == UInt8(ascii: "+") || bytes[0] == UInt8(ascii: "-") {
            let length = signedOffset(text)
            return length > 0 ? length : nil
        }
        let upper = bytes.prefix(6).prefix { $0 >= UInt8(ascii: "A") && $0 <= UInt8(ascii: "Z") }.count
        switch upper {
        case 3: return 3
        case 4: return bytes[3] == UInt8(ascii: "T") || bytes.starts(with: "WITA".utf8) ? 4 : nil
        case 5: return bytes[4] == UInt8(ascii: "T") ? 5 : nil
        default: return nil
        }
    }

    /// A sign and a number of hours up to 23; 0 when there is none.
    private static func signedOffset(_ text: ArraySlice<UInt8>) -> Int {
        guard let sign = text.first, sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") else { return 0 }
        let digits = text.dropFirst().prefix { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }
        guard !digits.isEmpty else { return 0 }
        var hours = 0
        for digit in digits where hours < 100 { hours = hours * 10 + Int(digit - UInt8(ascii: "0")) }
        return hours > 23 ? 0 : 1 + digits.count
    }
}
