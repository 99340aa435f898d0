import AiboxCrypto
import AiboxWire

/// What Amazon Bedrock says of the cost, beside the model's own words.
extension UsageMeter {
    /// A message has come to its end, and the next one has not begun.
    var isBetweenFrames: Bool { form == .frames && frames.isBetween }

    /// A message of `ConverseStream` has its event as content, one of `InvokeModelWithResponseStream` the model's own event in
    /// Base64, as `bytes` (docs.aws.amazon.com/bedrock/latest/APIReference, "PayloadPart", "ConverseStreamMetadataEvent").
    mutating func takeMessage(_ content: [UInt8]) {
        guard let document = try? JSONParser.parse(content, limits: Self.limits) else { return }
        guard let part = document["bytes"]?.stringValue else { return take(document) }
        guard let event = Base64.decode(part), let inner = try? JSONParser.parse(event, limits: Self.limits) else {
            return
        }
        take(inner)
        // Of models that do not say it themselves: the last event.
        if let metrics = inner["amazon-bedrock-invocationMetrics"] {
            var usage = TokenUsage()
            usage.take(metrics)
            fallback = usage
        }
    }

    /// The counts in the head of an answer that comes as a whole.
    mutating func take(_ head: UpstreamHead) {
        func count(_ name: String) -> Int? {
            head.value("x-amzn-bedrock-\(name)-token-count").flatMap { Int($0) }.map { max(0, min(1 << 40, $0)) }
        }
        guard let input = count("input"), let output = count("output") else { return }
        fallback = TokenUsage(input: input, output: output)
    }
}
