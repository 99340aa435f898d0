import AiboxCrypto
import AiboxSystem
import AiboxWire
import Rego

/// The rules of `llm.dlp`, ready to look through requests with.
///
/// Canaries are looked for in small letters and without white space, in every encoding that a program would use
/// (`SecretForms`), also where a text is cut into parts; patterns in the texts as they are.
final class LeakScreen: Sendable {
    /// A rule that a request met.
    struct Finding: Sendable, Equatable {
        var rule: String
        var layer: String
        var blocks: Bool
        /// How often at least; counting ends at 1,000, and earlier in long texts.
        var count: Int
        /// The pattern could not be looked for to the end.
        var isUnknown = false
    }

    private struct Pattern {
        var rule: Int
        var expression: TextPattern
    }

    private let rules: [LeakRule]
    private let canaries: TextSearch
    /// The rule of each of the canaries' forms.
    private let owners: [Int]
    private let patterns: [Pattern]

    static let countLimit = 1000
    /// Bytes times instructions of a search whose automaton grew too large: about a second.
    private let effort: Int
    /// Bytes times passes over them that are looked through at once; more of them elsewhere than on the event loop.
    static let inlineLimit = 256 << 10

    /// nil where there are no rules.
    init?(_ rules: [LeakRule], effort: Int = 1 << 28) throws(AiboxError) {
        if rules.isEmpty { return nil }
        self.rules = rules
        self.effort = effort
        var forms: [[UInt8]: Int] = [:]
        var patterns: [Pattern] = []
        for (index, rule) in rules.enumerated() {
            switch rule.content {
            case .canary(let text):
                // The first that says so; one that blocks before one that tells.
                for form in Self.forms(of: text)
                where forms[form].map({ rule.blocks && !rules[$0].blocks }) ?? true {
                    forms[form] = index
                }
            case .pattern(let text):
                do throws(TextPattern.Fault) {
                    patterns.append(Pattern(rule: index, expression: try TextPattern(text)))
                } catch {
                    throw AiboxError(.failed, "cannot use the rule \(rule.id) of llm.dlp", why: error.reason)
                }
            }
        }
        let sorted = forms.sorted { $0.key.lexicographicallyPrecedes($1.key) }
        canaries = TextSearch(sorted.map(\.key))
        owners = sorted.map(\.value)
        self.patterns = patterns
    }

    /// The forms of a canary, as they stand in a folded text.
    private static func forms(of text: String) -> Set<[UInt8]> {
        var forms: Set<[UInt8]> = []
        for spelling in [text, text.lowercased(), text.uppercased()] {
            let bytes = Array(spelling.utf8)
            var all = SecretForms.forms(of: bytes)
            // Every byte escaped, as URLs, JSON within JSON and program texts may have it.
            for prefix in ["%", "\\x", "\\u00", "0x"] {
                all.append(bytes.flatMap { Array((prefix + Hex.encode([$0])).utf8) })
            }
            for (opening, between) in [("", ":"), ("", ","), ("0x", ",0x")] {
                all.append(Array((opening + bytes.map { Hex.encode([$0]) }.joined(separator: between)).utf8))
            }
            all.append(Array(bytes.reversed()))
            for form in all { forms.insert(RequestTexts.folded(form)) }
        }
        return forms.filter { $0.count >= 8 }
    }

    /// Whether so many bytes are too much for the event loop.
    func isLong(_ bytes: Int) -> Bool { bytes > Self.inlineLimit / (2 + patterns.count) }

    /// The rules that a request meets, by their order; those that block before those that report.
    func look(_ texts: RequestTexts) -> [Finding] {
        var counts = [Int](repeating: 0, count: rules.count)
        var unknown: Set<Int> = []
        if !canaries.patterns.isEmpty {
            for text in [texts.joined, texts.others] {
                let folded = RequestTexts.folded(text)
                var ends = [Int](repeating: 0, count: rules.count)
                folded.withUnsafeBytes { bytes in
                    canaries.find(in: bytes) { place, form in
                        let rule = owners[form]
                        if place.lowerBound < ends[rule] { return }
                        ends[rule] = place.upperBound
                        counts[rule] += 1
                    }
                }
            }
        }
        for pattern in patterns {
            for text in [texts.joined, texts.others] {
                text.withUnsafeBufferPointer { bytes in
                    switch pattern.expression.matches(bytes, effort: effort) {
                    case nil: unknown.insert(pattern.rule)
                    case true?:
                        // Each place may take a search through all the rest.
                        let most = min(Self.countLimit, effort / max(1, bytes.count * pattern.expression.size))
                        counts[pattern.rule] += max(1, pattern.expression.places(bytes, limit: most).count)
                    case false?: break
                    }
                }
            }
            // Where a text begins and ends counts in some patterns: each value on its own.
            if counts[pattern.rule] == 0, pattern.expression.looksAround, !unknown.contains(pattern.rule) {
                counts[pattern.rule] = countApart(pattern.expression, texts)
            }
        }
        let findings = rules.indices.filter { counts[$0] > 0 || unknown.contains($0) }.map {
            Finding(
                rule: rules[$0].id, layer: rules[$0].layer, blocks: rules[$0].blocks,
                count: min(counts[$0], Self.countLimit), isUnknown: counts[$0] == 0)
        }
        return findings.filter(\.blocks) + findings.filter { !$0.blocks }
    }

    private func countApart(_ expression: TextPattern, _ texts: RequestTexts) -> Int {
        var count = 0
        texts.joined.withUnsafeBufferPointer { bytes in
            for (index, start) in texts.starts.enumerated() where count < Self.countLimit {
                let end = index + 1 < texts.starts.count ? texts.starts[index + 1] : bytes.count
                let value = UnsafeBufferPointer(rebasing: bytes[start..<end])
                if expression.matches(value, effort: effort) != false { count += 1 }
            }
        }
        return count
    }
}

extension LeakScreen.Finding {
    var refusal: BrokerRefusal {
        BrokerRefusal(
            kind: .permission, rule: "llm.dlp:\(rule)",
            reason: isUnknown
                ? "the request could not be looked through for what the rule \(rule) keeps inside"
                : "the request has what the rule \(rule) keeps inside",
            nextSteps: ["Leave it out. What the conversation has of it already is sent again with every request."],
            layer: layer)
    }
}
