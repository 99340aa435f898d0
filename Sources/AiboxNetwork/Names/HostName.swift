/// A DNS host name in the one form that policy, resolver, Squid and gateway compare.
///
/// Lower case, ASCII (A-labels, RFC 5890), no trailing dot, letters, digits and inner hyphens only
/// (RFC 1123 section 2.1), at most 63 bytes a label and 253 in all (RFC 1035 section 2.3.4). What is,
/// or could be taken for, an IP address is no host name.
public struct HostName: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// `registry.example.com`
    public let text: String

    /// From text that a person wrote: as from the wire, and labels beyond ASCII become A-labels.
    ///
    /// Such a label has to be of one script and must not look like an ASCII one
    /// (`InternationalLabel`), so that no policy holds a name that reads like another.
    public init(_ text: String) throws(HostNameFailure) {
        if text.utf8.allSatisfy({ $0 < 0x80 }) {
            try self.init(wire: Array(text.utf8))
            return
        }
        var ascii: [String] = []
        for label in text.split(separator: ".", omittingEmptySubsequences: false) {
            ascii.append(try InternationalLabel.ascii(label))
        }
        try self.init(wire: Array(ascii.joined(separator: ".").utf8))
    }

    /// From bytes of a foreign message: a Host header, an SNI, a DNS question. ASCII only.
    public init(wire bytes: [UInt8]) throws(HostNameFailure) {
        var bytes = bytes.map(\.lowercasedASCII)
        if bytes.isEmpty { throw .empty }
        let text = String(decoding: bytes, as: UTF8.self)
        if let address = IPAddress(disguised: text) { throw .address(address) }
        if bytes.last == UInt8(ascii: ".") { bytes.removeLast() }
        if bytes.isEmpty { throw .empty }
        if bytes.count > 253 { throw .tooLong }
        var last: ArraySlice<UInt8> = []
        for label in bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false) {
            try Self.check(label)
            last = label
        }
        // No top-level domain is a number; what ends in one is an address to somebody (WHATWG URL,
        // "ends in a number").
        let ending = String(decoding: last, as: UTF8.self)
        if last.allSatisfy(\.isASCIIDigit) || (ending.hasPrefix("0x") && last.dropFirst(2).allSatisfy(\.isHex)) {
            throw .numeric
        }
        self.text = String(decoding: bytes, as: UTF8.self)
    }

    /// A name that was checked before: for constants of this module.
    init(trusted text: String) { self.text = text }

    private static func check(_ label: ArraySlice<UInt8>) throws(HostNameFailure) {
        guard let first = label.first, let last = label.last else { throw .emptyLabel }
        if label.count > 63 { throw .labelTooLong }
        let hyphen = UInt8(ascii: "-")
        for byte in label where !(byte.isASCIILetter || byte.isASCIIDigit || byte == hyphen) {
            throw .character(byte)
        }
        if first == hyphen || last == hyphen { throw .hyphenAtEdge }
        if label.starts(with: "xn--".utf8) {
            let text = String(decoding: label.dropFirst(4), as: UTF8.self)
            // An A-label is the encoding of something, and of one thing: what does not encode back to
            // itself would be one name to us and another to somebody else (RFC 5891 section 5.4).
            guard let decoded = Punycode.decode(text.utf8[...]), decoded.contains(where: { !$0.isASCII }),
                Punycode.encode(decoded) == text
            else { throw .punycode(String(decoding: label, as: UTF8.self)) }
        }
    }

    /// Top-level domain last.
    public var labels: [Substring] { text.split(separator: ".") }

    /// The name without its first label; nil for a name of one label.
    public var parent: HostName? {
        guard let dot = text.firstIndex(of: ".") else { return nil }
        return HostName(trusted: String(text[text.index(after: dot)...]))
    }

    public var description: String { text }

    public static func < (left: HostName, right: HostName) -> Bool { left.text < right.text }
}

extension UInt8 {
    fileprivate var isHex: Bool { hexDigitValue != nil }
}

/// Why a text is no host name.
public enum HostNameFailure: Error, Sendable, Equatable {
    case empty, tooLong, emptyLabel, labelTooLong, hyphenAtEdge, numeric
    case character(UInt8)
    case punycode(String)
    case address(IPAddress)
    /// A label beyond ASCII that mixes scripts, looks like another, or has characters without a place in a name.
    case lookalike(label: String, why: String)

    /// In words, to follow "because" or a colon.
    public var reason: String {
        switch self {
        case .empty: "it is empty"
        case .tooLong: "it is longer than 253 characters"
        case .emptyLabel: "it has an empty label (a dot at the start, or two in a row)"
        case .labelTooLong: "a label is longer than 63 characters"
        case .hyphenAtEdge: "a label starts or ends with a hyphen"
        case .numeric: "it ends in a number and would be taken for an IP address"
        case .character(let byte): "it contains \(Self.show(byte)), which no host name has"
        case .punycode(let label): "\(label) is no valid internationalised label"
        case .address(let address): "it is the IP address \(address); only names can be allowed"
        case .lookalike(let label, let why): "the label \"\(label)\" \(why)"
        }
    }

    private static func show(_ byte: UInt8) -> String {
        (0x21...0x7E).contains(byte)
            ? "\"\(Character(Unicode.Scalar(byte)))\"" : "the byte 0x" + String(byte, radix: 16)
    }
}
