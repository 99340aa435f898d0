/// Reads compiled zone files (TZif, RFC 8536).
enum ZoneFile {
    /// nil when the bytes are no zone file.
    static func parse(_ bytes: [UInt8]) -> TimeZone? {
        guard var header = Header(bytes, at: 0) else { return nil }
        var start = Header.length
        var timeSize = 4
        if header.version >= UInt8(ascii: "2") {
            // The first block holds 32-bit times; the second one the same with 64 bits.
            guard let second = Header(bytes, at: start + header.dataLength(timeSize: 4)) else { return nil }
            start += header.dataLength(timeSize: 4) + Header.length
            header = second
            timeSize = 8
        }
        let dataLength = header.dataLength(timeSize: timeSize)
        guard bytes.count >= start + dataLength, header.periods > 0 else { return nil }
        let indexStart = start + header.transitions * timeSize
        let periodStart = indexStart + header.transitions
        let nameStart = periodStart + header.periods * 6
        var transitions: [Int] = []
        var indexes: [Int] = []
        for entry in 0..<header.transitions {
            transitions.append(integer(bytes, start + entry * timeSize, timeSize))
            let index = Int(bytes[indexStart + entry])
            guard index < header.periods else { return nil }
            indexes.append(index)
        }
        let names = bytes[nameStart..<(nameStart + header.nameBytes)]
        var periods: [TimeZone.Period] = []
        for entry in 0..<header.periods {
            let at = periodStart + entry * 6
            guard Int(bytes[at + 5]) < header.nameBytes else { return nil }
            let name = names[(nameStart + Int(bytes[at + 5]))...].prefix { $0 != 0 }
            periods.append(
                TimeZone.Period(
                    offset: integer(bytes, at, 4),
                    abbreviation: String(decoding: name, as: UTF8.self),
                    isDaylight: bytes[at + 4] != 0
                ))
        }
        guard zip(transitions, transitions.dropFirst()).allSatisfy({ $0 < $1 }) else { return nil }
        guard periods.allSatisfy({ $0.offset.magnitude < 200_000 }) else { return nil }
        let footer = timeSize == 8 ? bytes[(start + dataLength)...] : []
        return TimeZone(periods: periods, transitions: transitions, indexes: indexes, rule: rule(footer))
    }

    private static func rule(_ footer: ArraySlice<UInt8>) -> ZoneRule? {
        guard footer.first == 10 else { return nil }
        let line = footer.dropFirst().prefix { $0 != 10 }
        return line.isEmpty ? nil : ZoneRule(Array(line))
    }

    private static func integer(_ bytes: [UInt8], _ start: Int, _ count: Int) -> Int {
        var value = Int64(Int8(bitPattern: bytes[start]))
        for offset in 1..<count { value = value << 8 | Int64(bytes[start + offset]) }
        return Int(value)
    }

    private struct Header {
        static let length = 44
        let version: UInt8
        let transitions: Int
        let periods: Int
        let nameBytes: Int
        private let leapSeconds: Int
        private let standardFlags: Int
        private let utcFlags: Int

        init?(_ bytes: [UInt8], at start: Int) {
            guard start >= 0, bytes.count - start >= Header.length,
                bytes[start..<(start + 4)].elementsEqual("TZif".utf8)
            else { return nil }
            func count(_ index: Int) -> Int { ZoneFile.integer(bytes, start + 20 + index * 4, 4) }
            version = bytes[start + 4]
            (utcFlags, standardFlags, leapSeconds) = (count(0), count(1), count(2))
            (transitions, periods, nameBytes) = (count(3), count(4), count(5))
            // More cannot be in any real file, and the sums below stay small.
            let counts = [utcFlags, standardFlags, leapSeconds, transitions, periods, nameBytes]
            guard counts.allSatisfy({ $0 >= 0 && $0 < 1 << 20 }) else { return nil }
        }

        func dataLength(timeSize: Int) -> Int {
            transitions * (timeSize + 1) + periods * 6 + nameBytes + leapSeconds * (timeSize + 4) + standardFlags
                + utcFlags
        }
    }
}
