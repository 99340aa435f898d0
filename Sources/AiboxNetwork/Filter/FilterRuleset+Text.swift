extension FilterRuleset {
    /// The ruleset in the language of nft(8): one transaction that replaces whatever was there.
    public var text: String { "flush ruleset\n" + table }

    /// As `text`, where a ruleset of this kind is loaded already: its rules are replaced, its counters go on counting.
    public var update: String { "flush table inet \(Self.tableName)\n" + table }

    private var table: String {
        var lines = ["table inet \(Self.tableName) {"]
        for counter in counters { lines.append("    counter \(counter) { }") }
        for chain in chains {
            lines.append("    chain \(chain.name) {")
            lines.append(
                "        type filter hook \(chain.hook.rawValue) priority \(chain.priority); policy \(Chain.policy);")
            for rule in chain.rules { lines.append("        " + rule.text) }
            lines.append("    }")
        }
        lines.append("}")
        return lines.joined(separator: "\n") + "\n"
    }

    /// The ruleset that lets nothing through at all: what a sandbox is cut off with.
    public static let closed = """
        flush ruleset
        table inet \(tableName) {
            chain prerouting {
                type filter hook prerouting priority 0; policy drop;
            }
            chain output {
                type filter hook output priority 0; policy drop;
            }
        }

        """
}
