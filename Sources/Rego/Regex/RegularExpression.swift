import Synchronization

/// A compiled regular expression in RE2 syntax: linear time, leftmost-first, safe to share between threads.
final class RegularExpression: Sendable {
    private let program: RegexProgram
    /// Scratch memory that is not in use.
    private let idle = Mutex<[Scratch]>([])

    // Owned by one search at a time.
    private struct Scratch: @unchecked Sendable {
        let matcher: RegexMatcher
    }

    private static let maxIdle = 16
    /// Result lists and texts stop growing here.
    static let maxResultBytes = 64 << 20

    /// Throws with Go's message, such as "error parsing regexp: missing closing ]: `[a`".
    init(_ pattern: String) throws(SupportError) {
        program = try RegexProgram(pattern)
    }

    /// An expression without groups.
    init(_ node: RegexNode) throws(SupportError) {
        program = try RegexProgram(node, groupNames: [nil], isEmptyPattern: false)
    }

    static func isValid(_ pattern: String) -> Bool { (try? RegexParser.parse(pattern)) != nil }

    /// What a search in so many bytes takes at worst, in steps of an evaluation.
    func cost(_ bytes: Int) -> Int { bytes * program.count >> 9 }

    /// Groups in the pattern, without the whole match.
    var groupCount: Int { program.groupNames.count - 1 }

    /// Index 0 is the whole match.
    var groupNames: [String?] { program.groupNames }

    func isMatch(_ bytes: Bytes) -> Bool {
        if program.isLiteral {
            return program.prefix.withUnsafeBufferPointer { GoText.find(bytes, $0, from: 0) != nil }
        }
        return withMatcher { matcher in
            matcher.automaton.matches(bytes) ?? (matcher.search(bytes, from: 0) != nil)
        }
    }

    func isMatch(_ text: String) -> Bool { text.withBytes { isMatch($0) } }

    /// nil where the automaton does not pay, and the other way would take more than `effort` bytes times instructions.
    func isMatch(_ bytes: Bytes, effort: Int) -> Bool? {
        if program.isLiteral { return isMatch(bytes) }
        return withMatcher { matcher in
            // States are dear: a text that needs new ones all the time is not given many.
            if let found = matcher.automaton.matches(bytes, resets: 1) { return found }
            // It has given up for good; the next text may be another one.
            matcher.automaton = RegexAutomaton(program)
            if bytes.count > effort / max(1, program.count) { return nil }
            return matcher.search(bytes, from: 0) != nil
        }
    }

    var looksAround: Bool { program.hasAssertions || program.isAnchored }

    /// Instructions.
    var size: Int { program.count }

    /// The first match at or after byte `start`.
    func find(_ bytes: Bytes, from start: Int = 0) -> Range<Int>? {
        withMatcher { $0.search(bytes, from: start) }.map { $0[0]..<$0[1] }
    }

    /// The first match and its groups.
    func captures(_ bytes: Bytes, from start: Int = 0) -> [Range<Int>?]? {
        withMatcher { $0.search(bytes, from: start) }.map(RegularExpression.ranges)
    }

    /// Up to `limit` matches, or all when negative.
    func findAll(_ bytes: Bytes, limit: Int) -> [Range<Int>] {
        var result: [Range<Int>] = []
        forEach(bytes, limit: limit) { result.append($0[0]..<$0[1]) }
        return result
    }

    func findAllCaptures(_ bytes: Bytes, limit: Int) -> [[Range<Int>?]] {
        var result: [[Range<Int>?]] = []
        forEach(bytes, limit: limit) { result.append(RegularExpression.ranges($0)) }
        return result
    }

    func findAll(_ text: String, limit: Int) -> [String] {
        text.withBytes { bytes in findAll(bytes, limit: limit).map { GoText.slice(bytes, $0) } }
    }

    /// Groups that took no part are empty texts.
    func findAllSubmatches(_ text: String, limit: Int) -> [[String]] {
        text.withBytes { bytes in
            findAllCaptures(bytes, limit: limit).map { groups in
                groups.map { $0.map { GoText.slice(bytes, $0) } ?? "" }
            }
        }
    }

    /// The parts between matches, by Go's rules for empty ones.
    func split(_ text: String) -> [String] {
        if text.isEmpty { return program.isEmptyPattern ? [] : [""] }
        return text.withBytes { bytes in
            var result: [String] = []
            var start = 0
            var end = 0
            for match in findAll(bytes, limit: -1) {
                end = match.lowerBound
                if match.upperBound != 0 { result.append(GoText.slice(bytes, start..<end)) }
                start = match.upperBound
            }
            if end != bytes.count { result.append(GoText.slice(bytes, start..<bytes.count)) }
            return result
        }
    }

    /// Replaces every match; `$1`, `${name}` and `$$` in the template as in Go.
    func replaceAll(_ text: String, template: String) throws(SupportError) -> String {
        let expansion = RegexReplacement(template, groupNames: program.groupNames)
        let result: [UInt8]? = text.withBytes { bytes in
            withMatcher { matcher in
                var result: [UInt8] = []
                var last = 0
                var position = 0
                while position <= bytes.count, let slots = matcher.search(bytes, from: position) {
                    result += bytes[last..<slots[0]]
                    // No second replacement where an empty match touches the match before it.
                    if slots[1] > last || slots[0] == 0 { expansion.append(slots, bytes, to: &result) }
                    if result.count > RegularExpression.maxResultBytes { return nil }
                    last = slots[1]
                    let width = position < bytes.count ? GoRune.decode(bytes, position).width : 1
                    position = max(slots[1], position + width)
                }
                result += bytes[last...]
                return result
            }
        }
        guard let result else { throw .limit("replacement result is too large") }
        return String(decoding: result, as: UTF8.self)
    }

    private func forEach(_ bytes: Bytes, limit: Int, _ body: ([Int]) -> Void) {
        withMatcher { matcher in
            var position = 0
            var left = limit < 0 ? Int.max : limit
            var lastEnd = -1
            while left > 0, position <= bytes.count, let slots = matcher.search(bytes, from: position) {
                var accepted = true
                if slots[1] == position {
                    // An empty match; not right behind the match before.
                    if slots[0] == lastEnd { accepted = false }
                    position += position < bytes.count ? GoRune.decode(bytes, position).width : 1
                } else {
                    position = slots[1]
                }
                lastEnd = slots[1]
                if accepted {
                    body(slots)
                    left -= 1
                }
            }
        }
    }

    private static func ranges(_ slots: [Int]) -> [Range<Int>?] {
        stride(from: 0, to: slots.count, by: 2).map { slots[$0] >= 0 ? slots[$0]..<slots[$0 + 1] : nil }
    }

    private func withMatcher<Result>(_ body: (RegexMatcher) -> Result) -> Result {
        let scratch = idle.withLock { $0.popLast() } ?? Scratch(matcher: RegexMatcher(program))
        defer {
            idle.withLock { if $0.count < RegularExpression.maxIdle { $0.append(scratch) } }
        }
        return body(scratch.matcher)
    }
}
