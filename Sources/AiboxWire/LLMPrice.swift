/// What a model costs (`llm.prices`), in millionths of a unit of the currency for a million tokens.
public struct LLMPrice: Sendable, Equatable {
    /// A name in which `*` stands for anything.
    public var model: String
    public var input: Int
    public var output: Int
    /// Of the input, what came from the provider's cache.
    public var cached: Int
    /// Of the input, what was written to the provider's cache for five minutes, and for an hour.
    public var cacheWrite: Int
    public var hourWrite: Int

    public init(
        model: String, input: Int, output: Int, cached: Int? = nil, cacheWrite: Int? = nil, hourWrite: Int? = nil
    ) {
        self.model = model
        self.input = input
        self.output = output
        self.cached = cached ?? input
        self.cacheWrite = cacheWrite ?? input
        self.hourWrite = hourWrite ?? self.cacheWrite
    }

    /// Tokens, each at its own price.
    public struct Tokens: Sendable, Equatable {
        /// What was neither read from the provider's cache nor written to it.
        public var input: Int
        public var output: Int
        public var cached: Int
        public var cacheWrite: Int
        public var hourWrite: Int

        public init(input: Int, output: Int, cached: Int = 0, cacheWrite: Int = 0, hourWrite: Int = 0) {
            self.input = input
            self.output = output
            self.cached = cached
            self.cacheWrite = cacheWrite
            self.hourWrite = hourWrite
        }
    }

    /// Rounded up to a whole millionth; what does not fit is as much as there is.
    public func micros(_ tokens: Tokens) -> Int {
        let parts = [
            (tokens.input, input), (tokens.output, output), (tokens.cached, cached),
            (tokens.cacheWrite, cacheWrite), (tokens.hourWrite, hourWrite),
        ]
        var sum = 0
        for (count, price) in parts {
            let (product, isTooLarge) = max(0, count).multipliedReportingOverflow(by: price)
            let (next, overflows) = sum.addingReportingOverflow(product)
            if isTooLarge || overflows { return .max }
            sum = next
        }
        return sum / 1_000_000 + (sum % 1_000_000 == 0 ? 0 : 1)
    }

    /// The most that so many tokens can cost: what becomes of the input is not known before.
    public func most(input: Int, output: Int) -> Int {
        var dearest = self
        dearest.input = max(self.input, cached, cacheWrite, hourWrite)
        return dearest.micros(Tokens(input: input, output: output))
    }
}

extension LLMPrice {
    public var json: JSONValue {
        [
            "model": .string(model), "input": .integer(Int64(input)), "output": .integer(Int64(output)),
            "cached": .integer(Int64(cached)), "cacheWrite": .integer(Int64(cacheWrite)),
            "hourWrite": .integer(Int64(hourWrite)),
        ]
    }

    public init(json: JSONValue) throws(WireError) {
        var fields = try WireFields(json, in: "price")
        self.init(
            model: try fields.string("model"), input: try fields.integer("input"),
            output: try fields.integer("output"), cached: try fields.integer("cached"),
            cacheWrite: try fields.integer("cacheWrite"), hourWrite: try fields.integer("hourWrite"))
        try fields.finish()
        if [input, output, cached, cacheWrite, hourWrite].contains(where: { $0 < 0 }) {
            throw fields.error("a price is below zero")
        }
    }
}
