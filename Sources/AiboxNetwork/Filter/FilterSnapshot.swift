/// The ruleset that the kernel holds in a network namespace, as values.
public struct FilterSnapshot: Sendable, Equatable {
    /// `family table`, as `inet aibox`.
    public var tables: [String]
    public var chains: [Chain]
    public var rules: [Rule]
    public var counters: [Counter]
    /// Elements of named and anonymous sets that rules look values up in.
    public var setElements: [String]

    public struct Chain: Sendable, Equatable {
        public var table: String
        public var name: String
        /// Number of the hook; nil for a chain that is only jumped to.
        public var hook: UInt32?
        public var priority: Int32
        /// `accept` or `drop`.
        public var policy: String
    }

    public struct Rule: Sendable, Equatable {
        public var table: String
        public var chain: String
        /// What nft(8) keeps as `comment`; nil for a rule without one.
        public var comment: String?
        /// The rule's expressions in libnftnl's words.
        public var expressions: [String]
    }

    public struct Counter: Sendable, Equatable {
        public var table: String
        public var name: String
        public var packets: UInt64
        public var bytes: UInt64

        public init(table: String, name: String, packets: UInt64, bytes: UInt64) {
            self.table = table
            self.name = name
            self.packets = packets
            self.bytes = bytes
        }
    }

    public init(
        tables: [String] = [], chains: [Chain] = [], rules: [Rule] = [], counters: [Counter] = [],
        setElements: [String] = []
    ) {
        self.tables = tables
        self.chains = chains
        self.rules = rules
        self.counters = counters
        self.setElements = setElements
    }

    /// Packets by counter of our table.
    public var packets: [String: UInt64] {
        let own = counters.filter { $0.table == FilterDrift.table }
        return Dictionary(own.map { ($0.name, $0.packets) }) { first, _ in first }
    }
}
