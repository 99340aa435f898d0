extension DNSMessage {
    /// More than this is no message between a stub and its resolver.
    private static let recordLimit = 512

    /// From a datagram, or from a TCP message without its length.
    public init(wire bytes: [UInt8]) throws(DNSFailure) {
        var reader = DNSReader(bytes)
        identifier = try reader.number()
        let flags: UInt16 = try reader.number()
        isResponse = flags & 0x8000 != 0
        isTruncated = flags & 0x0200 != 0
        recursionDesired = flags & 0x0100 != 0
        responseCode = UInt8(flags & 0x000F)
        var counts: [Int] = []
        for _ in 0..<4 { counts.append(Int(try reader.number() as UInt16)) }
        if counts.reduce(0, +) > Self.recordLimit { throw .tooManyRecords }
        questions = []
        for _ in 0..<counts[0] {
            let name = try reader.name()
            questions.append(
                Question(name: name, type: DNSType(rawValue: try reader.number()), recordClass: try reader.number()))
        }
        answers = try reader.records(counts[1])
        authorities = try reader.records(counts[2])
        additional = try reader.records(counts[3])
        if !reader.isAtEnd { throw .trailingBytes }
    }

    /// For the wire, names uncompressed. Labels past 63 bytes are cut off.
    public var wire: [UInt8] {
        var bytes: [UInt8] = []
        var flags: UInt16 = UInt16(responseCode & 0x0F)
        if isResponse { flags |= 0x8080 }
        if isTruncated { flags |= 0x0200 }
        if recursionDesired { flags |= 0x0100 }
        let sections = [answers, authorities, additional]
        for number in [identifier, flags, UInt16(clamping: questions.count)]
            + sections.map({ UInt16(clamping: $0.count) })
        {
            bytes.append(number)
        }
        for question in questions {
            bytes.append(question.name)
            bytes.append(question.type.rawValue)
            bytes.append(question.recordClass)
        }
        for record in sections.joined() {
            bytes.append(record.name)
            bytes.append(record.type.rawValue)
            bytes.append(record.recordClass)
            bytes.append(UInt16(truncatingIfNeeded: record.timeToLive >> 16))
            bytes.append(UInt16(truncatingIfNeeded: record.timeToLive))
            bytes.append(UInt16(clamping: record.data.count))
            bytes += record.data.prefix(65535)
        }
        return bytes
    }

    /// The answer to this query.
    public func response(_ code: ResponseCode, answers: [Record] = []) -> DNSMessage {
        var message = self
        message.isResponse = true
        message.responseCode = code.rawValue
        message.answers = answers
        message.authorities = []
        message.additional = []
        return message
    }
}

private struct DNSReader {
    let bytes: [UInt8]
    var index = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    var isAtEnd: Bool { index == bytes.count }

    mutating func number<Number: FixedWidthInteger>() throws(DNSFailure) -> Number {
        var value: Number = 0
        for _ in 0..<(Number.bitWidth / 8) {
            guard index < bytes.count else { throw .truncated }
            value = value << 8 | Number(bytes[index])
            index += 1
        }
        return value
    }

    mutating func data(_ count: Int) throws(DNSFailure) -> [UInt8] {
        guard count <= bytes.count - index else { throw .truncated }
        defer { index += count }
        return Array(bytes[index..<(index + count)])
    }

    /// RFC 1035 section 4.1.4. A pointer must point before the place where its name started, so that every
    /// name ends.
    mutating func name() throws(DNSFailure) -> DNSName {
        var labels: [[UInt8]] = []
        var length = 1
        var position = index
        var bound = index
        var end: Int?
        while true {
            guard position < bytes.count else { throw .truncated }
            let head = Int(bytes[position])
            switch head & 0xC0 {
            case 0x00:
                position += 1
                if head == 0 {
                    index = end ?? position
                    return DNSName(labels: labels)
                }
                guard position + head <= bytes.count else { throw .truncated }
                length += head + 1
                if length > 255 { throw .nameTooLong }
                labels.append(Array(bytes[position..<(position + head)]))
                position += head
            case 0xC0:
                guard position + 1 < bytes.count else { throw .truncated }
                let target = (head & 0x3F) << 8 | Int(bytes[position + 1])
                if end == nil { end = position + 2 }
                guard target < bound else { throw .compression }
                bound = target
                position = target
            default: throw .label
            }
        }
    }

    mutating func records(_ count: Int) throws(DNSFailure) -> [DNSMessage.Record] {
        var records: [DNSMessage.Record] = []
        for _ in 0..<count {
            let name = try name()
            let type = DNSType(rawValue: try number())
            let recordClass: UInt16 = try number()
            let timeToLive: UInt32 = try number()
            let size: UInt16 = try number()
            records.append(
                DNSMessage.Record(
                    name: name, type: type, recordClass: recordClass, timeToLive: timeToLive, data: try data(Int(size)))
            )
        }
        return records
    }
}

extension [UInt8] {
    fileprivate mutating func append(_ number: UInt16) {
        append(UInt8(number >> 8))
        append(UInt8(number & 0xFF))
    }

    fileprivate mutating func append(_ name: DNSName) {
        for label in name.labels where !label.isEmpty {
            append(UInt8(Swift.min(label.count, 63)))
            append(contentsOf: label.prefix(63))
        }
        append(UInt8(0))
    }
}
