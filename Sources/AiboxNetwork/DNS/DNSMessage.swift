/// A DNS message (RFC 1035), as much of it as checking answers and counting queries takes.
public struct DNSMessage: Sendable, Equatable {
    public struct Question: Sendable, Equatable {
        public var name: DNSName
        public var type: DNSType
        public var recordClass: UInt16

        public init(name: DNSName, type: DNSType, recordClass: UInt16 = 1) {
            self.name = name
            self.type = type
            self.recordClass = recordClass
        }
    }

    public struct Record: Sendable, Equatable {
        public var name: DNSName
        public var type: DNSType
        public var recordClass: UInt16
        /// Seconds.
        public var timeToLive: UInt32
        /// As in the message; names inside may be compressed and are not followed.
        public var data: [UInt8]

        public init(name: DNSName, type: DNSType, recordClass: UInt16 = 1, timeToLive: UInt32 = 60, data: [UInt8]) {
            self.name = name
            self.type = type
            self.recordClass = recordClass
            self.timeToLive = timeToLive
            self.data = data
        }

        /// The address of an A or AAAA record.
        public var address: IPAddress? {
            switch (type, data.count) {
            case (.a, 4), (.aaaa, 16): IPAddress(bytes: data)
            default: nil
            }
        }
    }

    public enum ResponseCode: UInt8, Sendable {
        case noError = 0, formatError, serverFailure, nameError, notImplemented, refused
    }

    public var identifier: UInt16
    public var isResponse: Bool
    public var recursionDesired: Bool
    public var isTruncated: Bool
    /// Four bits; `ResponseCode` names those that occur here.
    public var responseCode: UInt8
    public var questions: [Question]
    public var answers: [Record]
    public var authorities: [Record]
    public var additional: [Record]

    public init(
        identifier: UInt16, isResponse: Bool = false, recursionDesired: Bool = true, isTruncated: Bool = false,
        responseCode: UInt8 = 0, questions: [Question] = [], answers: [Record] = [], authorities: [Record] = [],
        additional: [Record] = []
    ) {
        self.identifier = identifier
        self.isResponse = isResponse
        self.recursionDesired = recursionDesired
        self.isTruncated = isTruncated
        self.responseCode = responseCode
        self.questions = questions
        self.answers = answers
        self.authorities = authorities
        self.additional = additional
    }
}

/// A record or question type; any number can occur.
public struct DNSType: Sendable, Hashable, RawRepresentable {
    public var rawValue: UInt16
    public init(rawValue: UInt16) { self.rawValue = rawValue }

    public static let a = DNSType(rawValue: 1)
    public static let cname = DNSType(rawValue: 5)
    public static let null = DNSType(rawValue: 10)
    public static let txt = DNSType(rawValue: 16)
    public static let aaaa = DNSType(rawValue: 28)
    public static let https = DNSType(rawValue: 65)
    public static let any = DNSType(rawValue: 255)
}

/// A domain name as labels of arbitrary bytes.
public struct DNSName: Sendable, Hashable, CustomStringConvertible {
    /// Without the root label.
    public var labels: [[UInt8]]

    public init(labels: [[UInt8]]) { self.labels = labels }

    /// From dotted text; a trailing dot is accepted.
    public init(_ text: String) {
        labels = text.utf8.split(separator: UInt8(ascii: ".")).map { Array($0) }
    }

    /// Bytes beside letters, digits, hyphen and underscore are shown as `\DDD` (RFC 1035 section 5.1).
    public var description: String {
        if labels.isEmpty { return "." }
        return labels.map { label in
            label.map { byte in
                if byte.isASCIILetter || byte.isASCIIDigit || "-_*".utf8.contains(byte) {
                    return String(Character(Unicode.Scalar(byte)))
                }
                let digits = String(byte)
                return "\\" + String(repeating: "0", count: 3 - digits.count) + digits
            }.joined()
        }.joined(separator: ".") + "."
    }
}

/// Why bytes are no DNS message.
public enum DNSFailure: Error, Sendable, Equatable {
    case truncated, label, compression, nameTooLong, tooManyRecords, trailingBytes
}
