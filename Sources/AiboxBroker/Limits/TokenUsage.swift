import AiboxWire

/// What a request cost, as the provider counts.
struct TokenUsage: Sendable, Equatable {
    /// All that was read, from the provider's cache or not.
    var input = 0
    var output = 0
    /// Of the input, what came from the provider's cache.
    var cached = 0

    var total: Int { input + output }

    /// Takes over what a `usage` object says; what it leaves out stays as it is. Later ones count on from earlier ones.
    ///
    /// Anthropic counts cached input beside `input_tokens`, OpenAI within `prompt_tokens` or `input_tokens`.
    mutating func take(_ usage: JSONValue) {
        func number(_ names: String...) -> Int? {
            names.lazy.compactMap { usage[$0]?.wholeNumber }.first.map { Int(clamping: max(0, min(1 << 40, $0))) }
        }
        let details = usage["prompt_tokens_details"] ?? usage["input_tokens_details"]
        if let read = number("input_tokens", "prompt_tokens") {
            let beside = number("cache_read_input_tokens")
            let written = number("cache_creation_input_tokens") ?? 0
            cached = beside ?? details?["cached_tokens"]?.wholeNumber.map { Int(clamping: max(0, $0)) } ?? cached
            input = read + (beside ?? 0) + written
        }
        if let written = number("output_tokens", "completion_tokens") { output = written }
    }
}
