public import AiboxSystem
import Glibc

/// Moments as a person writes them.
public enum AuditTime {
    /// `30s`, `15m`, `12h`, `7d` before `now`; `2026-03-01`; `2026-03-01T09:30:00Z`, also with a fraction. UTC.
    /// nil for anything else, also for the 31st of a short month.
    public static func parse(_ text: String, now: Timestamp) -> Timestamp? {
        if let unit = text.last, let factor = ["s": 1, "m": 60, "h": 3600, "d": 86_400][unit] as Int64?,
            let count = Int64(text.dropLast()), count >= 0,
            case let (seconds, overflow) = count.multipliedReportingOverflow(by: factor),
            !overflow
        {
            return Timestamp(seconds: now.seconds - seconds, nanoseconds: now.nanoseconds)
        }
        return moment(text)
    }

    private static func moment(_ text: String) -> Timestamp? {
        var rest = text[...]
        func number(_ digits: Int) -> Int32? {
            let field = rest.prefix(digits)
            guard field.count == digits, field.allSatisfy({ $0.isASCII && $0.isNumber }) else { return nil }
            rest.removeFirst(digits)
            return Int32(field)
        }
        func take(_ character: Character) -> Bool {
            if rest.first != character { return false }
            rest.removeFirst()
            return true
        }
        var parts = tm()
        guard let year = number(4), take("-"), let month = number(2), take("-"), let day = number(2) else { return nil }
        (parts.tm_year, parts.tm_mon, parts.tm_mday) = (year - 1900, month - 1, day)
        var nanoseconds: Int32 = 0
        if !rest.isEmpty {
            guard take("T"), let hour = number(2), take(":"), let minute = number(2), take(":"), let second = number(2)
            else { return nil }
            (parts.tm_hour, parts.tm_min, parts.tm_sec) = (hour, minute, second)
            if take(".") {
                let digits = rest.prefix { $0.isASCII && $0.isNumber }
                guard (1...9).contains(digits.count),
                    let value = Int32(digits + String(repeating: "0", count: 9 - digits.count))
                else { return nil }
                nanoseconds = value
                rest.removeFirst(digits.count)
            }
            guard take("Z"), rest.isEmpty else { return nil }
        }
        let given = (parts.tm_mon, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec)
        let seconds = timegm(&parts)
        // timegm(3) turns the 31st of April into the 1st of May; that was not meant.
        guard given == (parts.tm_mon, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec) else { return nil }
        return Timestamp(seconds: Int64(seconds), nanoseconds: nanoseconds)
    }
}
