extension Builtins {
    static func addTime(_ table: inout BuiltinTable) {
        table.add("time.now_ns") { context, _ throws(BuiltinFailure) in .int(context.now()) }
        table.add("time.parse_rfc3339_ns") { _, x throws(BuiltinFailure) in
            let text = try x.text(0)
            return .int(try supported { () throws(SupportError) in try GoTime.parseRFC3339(text) })
        }
        table.add("time.parse_ns") { _, x throws(BuiltinFailure) in
            let (layout, text) = (try x.text(0), try x.text(1))
            return .int(try supported { () throws(SupportError) in try GoTime.parse(layout: layout, value: text) })
        }
        table.add("time.parse_duration_ns") { _, x throws(BuiltinFailure) in
            let text = try x.text(0)
            return .int(try supported { () throws(SupportError) in try GoTime.parseDuration(text) })
        }
        table.add("time.date") { _, x throws(BuiltinFailure) in
            let moment = try moment(x, 0)
            let (year, month, day) = GoTime.date(moment.ns, moment.zone)
            return integers([year, month, day])
        }
        table.add("time.clock") { _, x throws(BuiltinFailure) in
            let moment = try moment(x, 0)
            let (hour, minute, second) = GoTime.clock(moment.ns, moment.zone)
            return integers([hour, minute, second])
        }
        table.add("time.weekday") { _, x throws(BuiltinFailure) in
            let moment = try moment(x, 0)
            return .string(GoTime.weekday(moment.ns, moment.zone))
        }
        table.add("time.format") { _, x throws(BuiltinFailure) in
            let moment = try moment(x, 0)
            if let layout = moment.layout {
                return .string(GoTime.format(moment.ns, zone: moment.zone, layout: layout))
            }
            return .string(GoTime.format(moment.ns, zone: moment.zone))
        }
        table.add("time.add_date") { _, x throws(BuiltinFailure) in
            let moment = try moment(x, 0)
            let (years, months, days) = (try x.integer(1), try x.integer(2), try x.integer(3))
            return .int(
                try supported { () throws(SupportError) in
                    try GoTime.addDate(moment.ns, years: years, months: months, days: days)
                })
        }
        table.add("time.diff") { _, x throws(BuiltinFailure) in
            let (first, second) = (try moment(x, 0), try moment(x, 1))
            let (a, b, c, d, e, f) = GoTime.difference((first.ns, first.zone), (second.ns, second.zone))
            return integers([a, b, c, d, e, f])
        }
        table.add("test.sleep") { _, x throws(BuiltinFailure) in
            // Only the conformance protocol knows this function; time passes by computing.
            let text = try x.text(0)
            let ns = try supported { () throws(SupportError) in try GoTime.parseDuration(text) }
            let end = ContinuousClock.now + .nanoseconds(min(ns, 1_000_000_000))
            while ContinuousClock.now < end {}
            return .null
        }
    }

    private static func integers(_ numbers: [Int]) -> Value { .array(numbers.map { .int(Int64($0)) }) }

    /// Nanoseconds, or an array of them with a zone name and perhaps a layout.
    private static func moment(
        _ x: Operands, _ index: Int
    ) throws(BuiltinFailure) -> (ns: Int64, zone: TimeZone, layout: String?) {
        let items: [Value]
        switch x[index] {
        case .int, .number: items = [x[index]]
        case .array(let parts) where !parts.isEmpty: items = Array(parts)
        default:
            throw BuiltinFailure.type(index + 1, "either number (ns) or [number (ns), string (tz)]", x[index])
        }
        func string(_ at: Int) throws(BuiltinFailure) -> String? {
            guard at < items.count else { return nil }
            guard case .string(let box) = items[at] else { throw BuiltinFailure.type(index + 1, "string", items[at]) }
            return box.string
        }
        guard let number = items[0].asNumber else { throw BuiltinFailure.type(index + 1, "number", items[0]) }
        var zone = TimeZone.utc
        if let name = try string(1) { zone = try supported { () throws(SupportError) in try TimeZone.named(name) } }
        let layout = try string(2)
        let ns = try supported { () throws(SupportError) in try GoTime.nanoseconds(number) }
        return (ns, zone, layout == "" ? nil : layout)
    }
}
