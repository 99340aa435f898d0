import AiboxWire

/// What a request cost, as the provider counts.
struct TokenUsage: Sendable, Equatable {
    /// All that was read, from the provider's cache or not.
    var input = 0
    var output = 0
    /// Of the input, what came from the provider's cache.
    var cached = 0
    /// Of the input, what was written to the provider's cache, and of that, what for an hour.
    var written = 0
    var hourWritten = 0

    var total: Int { input + output }

    /// Takes over what a `usage` object says; what it leaves out stays as it is. Later ones count on from earlier ones.
    ///
    /// OpenAI counts cached input within `prompt_tokens` or `input_tokens`; Anthropic counts it beside `input_tokens`, and so
    /// what it writes to the cache, in all and under `cache_creation` by its time to live
    /// (docs.anthropic.com/en/docs/build-with-claude/prompt-caching, "Tracking cache performance" and "1-hour cache duration").
    /// Bedrock's Converse does as Anthropic, in names of its own (docs.aws.amazon.com/bedrock/latest/APIReference, "TokenUsage").
    mutating func take(_ usage: JSONValue) {
        func number(_ value: JSONValue?) -> Int? {
            value?.wholeNumber.map { Int(clamping: max(0, min(1 << 40, $0))) }
        }
        func number(_ names: String...) -> Int? { names.lazy.compactMap { number(usage[$0]) }.first }
        let details = usage["prompt_tokens_details"] ?? usage["input_tokens_details"]
        if let read = number("input_tokens", "prompt_tokens", "inputTokens", "inputTokenCount") {
            let beside = number("cache_read_input_tokens", "cacheReadInputTokens", "cacheReadInputTokenCount")
            cached = beside ?? number(details?["cached_tokens"]) ?? cached
            written =
                number("cache_creation_input_tokens", "cacheWriteInputTokens", "cacheWriteInputTokenCount") ?? 0
            hourWritten = number(usage["cache_creation"]?["ephemeral_1h_input_tokens"]) ?? hourWritten
            input = read + (beside ?? 0) + written
        }
        if let said = number("output_tokens", "completion_tokens", "outputTokens", "outputTokenCount") { output = said }
    }
}

extension LLMPrice {
    /// What is said to be a part of something smaller counts as far as that goes.
    func micros(_ usage: TokenUsage) -> Int {
        let cached = min(usage.cached, usage.input)
        let written = min(usage.written, usage.input - cached)
        let hour = min(usage.hourWritten, written)
        return micros(
            Tokens(
                input: usage.input - cached - written, output: usage.output, cached: cached,
                cacheWrite: written - hour, hourWrite: hour))
    }
}
