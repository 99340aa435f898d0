public import NIOCore

extension LLMProxyServer {
    /// How long is waited, and for how much there is room (docs/llm-proxy.md, "Limits").
    public struct Bounds: Sendable {
        /// Connections of the sandbox at a time.
        public var connections = 1100
        /// Bytes of a request's body.
        public var body = 32 << 20
        /// Bytes of bodies that are being read, of all connections.
        public var bodies = 34 << 20
        /// For a request's head, from its first byte on.
        public var headTime = TimeAmount.seconds(15)
        public var bodyTime = TimeAmount.seconds(120)
        /// Up to the first byte of an answer: models think for minutes before their first word.
        public var answerTime = TimeAmount.minutes(10)
        /// Silence within an answer, of either side, after which it is given up.
        public var silence = TimeAmount.minutes(5)
        /// Between two requests of a connection.
        public var idleTime = TimeAmount.seconds(90)
        /// For a connection to an upstream, and once more for TLS.
        public var connectTime = TimeAmount.seconds(10)
        /// How often what is under way is looked at: whether it goes on, and whether its credential still holds.
        public var look = TimeAmount.seconds(5)

        public init() {}
    }
}

extension TimeAmount {
    var wholeSeconds: Int64 { nanoseconds / 1_000_000_000 }
}
