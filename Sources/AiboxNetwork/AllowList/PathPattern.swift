/// Which paths an allow-list entry means: `/v1/messages`, `/repos/*/pulls`, `/simple/**`.
///
/// `*` stands for one or more characters within a segment; `**`, as the last segment, for everything
/// below (and for the folder itself).
public struct PathPattern: Sendable, Hashable, CustomStringConvertible {
    public let text: String
    private let segments: [String]
    private let matchesBelow: Bool

    public init(_ text: String) throws(PathPatternFailure) {
        let probe = text.replacingAsterisks(with: "x")
        do {
            let normal = try RequestPath(probe)
            if normal.query != nil || normal.path != probe { throw RequestPathFailure.hiddenDots }
        } catch {
            throw .notNormal
        }
        var segments = text.split(separator: "/", omittingEmptySubsequences: false).dropFirst().map(String.init)
        matchesBelow = segments.last == "**"
        if matchesBelow { segments.removeLast() }
        if segments.contains(where: { $0.containsDoubleAsterisk }) { throw .doubleAsterisk }
        self.segments = segments
        self.text = text
    }

    public func matches(_ path: RequestPath) -> Bool {
        let parts = path.path.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
        if matchesBelow {
            guard parts.count >= segments.count else { return false }
        } else if parts.count != segments.count {
            return false
        }
        return zip(segments, parts).allSatisfy { Self.matches(Array($0.utf8)[...], Array($1.utf8)[...]) }
    }

    /// `*` greedy with one point to come back to: linear in the number of asterisks times the length.
    private static func matches(_ pattern: ArraySlice<UInt8>, _ text: ArraySlice<UInt8>) -> Bool {
        let pieces = pattern.split(separator: UInt8(ascii: "*"), omittingEmptySubsequences: false)
        guard pieces.count > 1, let first = pieces.first, let last = pieces.last else {
            return pattern.elementsEqual(text)
        }
        guard text.starts(with: first) else { return false }
        var rest = text.dropFirst(first.count)
        for piece in pieces.dropFirst().dropLast() {
            guard !rest.isEmpty else { return false }
            rest = rest.dropFirst()
            guard let start = find(piece, in: rest) else { return false }
            rest = rest[(start + piece.count)...]
        }
        return rest.count >= last.count + 1 && rest.suffix(last.count).elementsEqual(last)
    }

    private static func find(_ piece: ArraySlice<UInt8>, in text: ArraySlice<UInt8>) -> Int? {
        var index = text.startIndex
        while index + piece.count <= text.endIndex {
            if text[index..<(index + piece.count)].elementsEqual(piece) { return index }
            index += 1
        }
        return nil
    }

    /// The same as a POSIX extended regular expression over path and query, anchored.
    public var regularExpression: String {
        var result = "^"
        for segment in segments {
            result += "/"
            for character in segment {
                if character == "*" {
                    result += "[^/?]+"
                } else if character.isLetter || character.isNumber || "-_~%/".contains(character) {
                    result.append(character)
                } else if character == "^" {
                    result += #"\^"#
                } else {
                    // A bracket needs no escape that a configuration file could eat.
                    result += "[\(character)]"
                }
            }
        }
        if matchesBelow { result += "(/[^?]*)?" }
        return result + "([?].*)?$"
    }

    public var description: String { text }
}

/// Why a text is no path pattern.
public enum PathPatternFailure: Error, Sendable, Equatable {
    case notNormal, doubleAsterisk

    public var reason: String {
        switch self {
        case .notNormal:
            "a path starts with / and is in normal form: no . or .. segment, no //, no query, no needless escape"
        case .doubleAsterisk: "** stands alone as the last segment, as in /simple/**"
        }
    }
}

extension String {
    fileprivate var containsDoubleAsterisk: Bool {
        zip(utf8, utf8.dropFirst()).contains { $0 == UInt8(ascii: "*") && $1 == UInt8(ascii: "*") }
    }

    fileprivate func replacingAsterisks(with other: Character) -> String {
        String(map { $0 == "*" ? other : $0 })
    }
}
