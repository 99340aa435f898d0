/// The path and query of a request in the one form that rules are matched against and that is forwarded.
///
/// RFC 3986 section 6.2.2 (case of escapes, escapes of unreserved characters, dot segments), runs of
/// slashes merged. Refused instead of guessed: what servers are known to read in different ways.
public struct RequestPath: Sendable, Hashable, CustomStringConvertible {
    /// Starts with a slash; no query.
    public let path: String
    /// Without the question mark; nil when there is none.
    public let query: String?

    public static let root = RequestPath(path: "/", query: nil)

    private init(path: String, query: String?) {
        self.path = path
        self.query = query
    }

    /// - Parameter bytes: path and query as on the request line; empty means `/`.
    public init(_ bytes: [UInt8]) throws(RequestPathFailure) {
        if bytes.isEmpty {
            self = .root
            return
        }
        guard bytes.first == UInt8(ascii: "/") else { throw .relative }
        for byte in bytes where !(0x21...0x7E).contains(byte) || byte == UInt8(ascii: "#") { throw .character(byte) }
        let mark = bytes.firstIndex(of: UInt8(ascii: "?"))
        let raw = bytes[..<(mark ?? bytes.endIndex)]
        if raw.contains(UInt8(ascii: "\\")) { throw .character(UInt8(ascii: "\\")) }
        let unescaped = try Self.normaliseEscapes(raw)
        // Those that stand there plainly hide nothing, and are no reason to refuse an escape beside them.
        try Self.refuseHiddenDots(Self.withoutDotSegments(unescaped))
        path = Self.removeDotSegments(unescaped)
        query = try mark.map { index throws(RequestPathFailure) in
            String(decoding: try Self.normaliseEscapes(bytes[(index + 1)...], decoding: false), as: UTF8.self)
        }
    }

    public init(_ text: String) throws(RequestPathFailure) { try self.init(Array(text.utf8)) }

    /// Path and query as they are forwarded.
    public var description: String { query.map { path + "?" + $0 } ?? path }

    /// Whether a path, before any question mark, is this one as it is written, but for the case of escapes: what is forwarded
    /// unchanged has to be what was decided on.
    public func isWritten(as path: [UInt8]) -> Bool {
        var bytes = path
        for index in bytes.indices.dropLast(2) where bytes[index] == UInt8(ascii: "%") {
            for digit in [index + 1, index + 2] where (0x61...0x66).contains(bytes[digit]) { bytes[digit] -= 0x20 }
        }
        return bytes.elementsEqual(self.path.utf8) || bytes.isEmpty && self.path == "/"
    }

    /// A path as it is written, before any question mark, without its `.` segments (RFC 3986 section 5.2.4): nothing else of it
    /// is touched.
    static func withoutDotSegments(_ path: [UInt8]) -> [UInt8] {
        let slash = UInt8(ascii: "/")
        let dot = ".".utf8
        var segments = path.split(separator: slash, omittingEmptySubsequences: false)
        // What ends in one is a folder.
        if let last = segments.last, last.elementsEqual(dot) { segments[segments.count - 1] = [] }
        return Array(segments.filter { !$0.elementsEqual(dot) }.joined(separator: [slash]))
    }

    /// Escapes in upper case, those of unreserved characters decoded.
    private static func normaliseEscapes(_ bytes: ArraySlice<UInt8>, decoding: Bool = true) throws(RequestPathFailure)
        -> [UInt8]
    {
        var result: [UInt8] = []
        var index = bytes.startIndex
        while index < bytes.endIndex {
            let byte = bytes[index]
            guard byte == UInt8(ascii: "%") else {
                result.append(byte)
                index += 1
                continue
            }
            guard index + 2 < bytes.endIndex, let high = bytes[index + 1].hexDigitValue,
                let low = bytes[index + 2].hexDigitValue
            else { throw .escape }
            let value = high << 4 | low
            if decoding, value < 0x20 || value == 0x7F { throw .escapedControl }
            if decoding, isUnreserved(value) {
                result.append(value)
            } else {
                result.append(byte)
                result.append(hexDigit(high))
                result.append(hexDigit(low))
            }
            index += 3
        }
        return result
    }

    private static func hexDigit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "A") + value - 10
    }

    private static func isUnreserved(_ byte: UInt8) -> Bool {
        byte.isASCIILetter || byte.isASCIIDigit || "-._~".utf8.contains(byte)
    }

    /// Dot segments that only show after another round of decoding, with an escaped slash or backslash
    /// taken for a separator, or without path parameters: `..%2F`, `..;x`, `%252e%252e`.
    private static func refuseHiddenDots(_ bytes: [UInt8]) throws(RequestPathFailure) {
        var flat = bytes
        var hidden = false
        for _ in 0..<4 {
            var changed = false
            var next: [UInt8] = []
            var index = 0
            while index < flat.count {
                if flat[index] == UInt8(ascii: "%"), index + 2 < flat.count,
                    let high = flat[index + 1].hexDigitValue, let low = flat[index + 2].hexDigitValue
                {
                    next.append(high << 4 | low)
                    index += 3
                    changed = true
                } else {
                    next.append(flat[index])
                    index += 1
                }
            }
            flat = next
            if !changed { break }
            hidden = true
        }
        let separators: Set<UInt8> = [UInt8(ascii: "/"), UInt8(ascii: "\\")]
        for segment in flat.split(whereSeparator: { separators.contains($0) }) {
            let name = segment.prefix { $0 != UInt8(ascii: ";") }
            let isDots = name.elementsEqual(".".utf8) || name.elementsEqual("..".utf8)
            // Plain dot segments are resolved below; these would be resolved by some servers only.
            if isDots, hidden || name.count != segment.count { throw .hiddenDots }
        }
        if hidden, flat.contains(UInt8(ascii: "\\")) { throw .character(UInt8(ascii: "\\")) }
    }

    /// RFC 3986 section 5.2.4, and `//` as `/`.
    private static func removeDotSegments(_ bytes: [UInt8]) -> String {
        var kept: [ArraySlice<UInt8>] = []
        let segments = bytes.split(separator: UInt8(ascii: "/"))
        for segment in segments {
            if segment.elementsEqual(".".utf8) { continue }
            if segment.elementsEqual("..".utf8) {
                _ = kept.popLast()
            } else {
                kept.append(segment)
            }
        }
        var path = kept.map { "/" + String(decoding: $0, as: UTF8.self) }.joined()
        let endsInFolder =
            bytes.last == UInt8(ascii: "/")
            || segments.last.map { $0.elementsEqual(".".utf8) || $0.elementsEqual("..".utf8) }
                == true
        if path.isEmpty || endsInFolder { path += "/" }
        return path
    }
}

/// Why a request path is refused.
public enum RequestPathFailure: Error, Sendable, Equatable {
    case relative, escape, escapedControl, hiddenDots
    case character(UInt8)

    public var reason: String {
        switch self {
        case .relative: "the path does not start with a slash"
        case .escape: "the path has a percent sign without two hexadecimal digits"
        case .escapedControl: "the path has an escaped control character"
        case .hiddenDots: "the path hides a . or .. segment behind escapes or parameters"
        case .character(let byte):
            "the path contains the byte 0x\(String(byte, radix: 16)), which servers read in different ways"
        }
    }
}
