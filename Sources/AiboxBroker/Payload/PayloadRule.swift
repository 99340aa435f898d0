import AiboxAudit
import AiboxSystem
import AiboxWire
import NIOCore
import Rego

/// How the content of requests and answers is kept: where, for whom, and without what.
struct PayloadRule: Sendable {
    let folder: String
    let recipient: RecordingRecipient
    let bound: RecordingBound
    /// Keys and surrogates; canaries where they are masked.
    let forms: SecretForms
    let patterns: [TextPattern]

    /// nil where nothing is kept.
    init?(_ plan: BrokerPlan) throws(AiboxError) {
        guard let payloads = plan.payloads else { return nil }
        guard let recipient = RecordingRecipient(payloads.recipient) else {
            throw AiboxError(
                .failed, "cannot keep what language models are asked", why: "there is no key to keep it for")
        }
        folder = payloads.folder
        bound = RecordingBound(bytes: payloads.size, age: payloads.days.map { Int64($0) * 86_400 })
        self.recipient = recipient
        var secrets = plan.grants.flatMap { $0.secrets + [$0.surrogate] } + plan.places.map(\.secret)
        var patterns: [TextPattern] = []
        for rule in payloads.masksLeaks ? plan.leaks : [] {
            switch rule.content {
            case .canary(let text): secrets.append(text)
            case .pattern(let text):
                if let pattern = try? TextPattern(text) { patterns.append(pattern) }
            }
        }
        forms = SecretForms(secrets)
        self.patterns = patterns
    }

    /// A request that is whole.
    func masked(_ body: ByteBuffer) -> [UInt8] {
        var count = 0
        return masked(patternsIn: Redaction.mask(Array(body.readableBytesView), forms, count: &count))
    }

    func masked(patternsIn text: [UInt8]) -> [UInt8] {
        var text = text
        for pattern in patterns {
            let places = text.withUnsafeBufferPointer { bytes in
                pattern.matches(bytes, effort: 1 << 28) == false ? [] : pattern.places(bytes, limit: 10_000)
            }
            for place in places {
                for index in place { text[index] = UInt8(ascii: "*") }
            }
        }
        return text
    }
}
