/// What a model costs (`llm.prices`), in millionths of a unit of the currency for a million tokens.
public struct LLMPrice: Sendable, Equatable {
    /// A name in which `*` stands for anything.
    public var model: String
    public var input: Int
    public var output: Int
    /// Of the input, what came from the provider's cache.
    public var cached: Int

    public init(model: String, input: Int, output: Int, cached: Int? = nil) {
        self.model = model
        self.input = input
        self.output = output
        self.cached = cached ?? input
    }

    /// Rounded up to a whole millionth; what does not fit is as much as there is.
    ///
    /// - Parameter cached: a part of the input.
    public func micros(input: Int, output: Int, cached: Int = 0) -> Int {
        let cached = max(0, min(cached, input))
        var sum = 0
        for (tokens, price) in [(input - cached, self.input), (cached, self.cached), (output, self.output)] {
            let (product, isTooLarge) = max(0, tokens).multipliedReportingOverflow(by: price)
            let (next, overflows) = sum.addingReportingOverflow(product)
            if isTooLarge || overflows { return .max }
            sum = next
        }
        return sum / 1_000_000 + (sum % 1_000_000 == 0 ? 0 : 1)
    }
}

extension LLMPrice {
    public var json: JSONValue {
        [
            "model": .string(model), "input": .integer(Int64(input)), "output": .integer(Int64(output)),
            "cached": .integer(Int64(cached)),
        ]
    }

    public init(json: JSONValue) throws(WireError) {
        var fields = try WireFields(json, in: "price")
        self.init(
            model: try fields.string("model"), input: try fields.integer("input"),
            output: try fields.integer("output"), cached: try fields.integer("cached"))
        try fields.finish()
        if min(input, output, cached) < 0 { throw fields.error("a price is below zero") }
    }
}
