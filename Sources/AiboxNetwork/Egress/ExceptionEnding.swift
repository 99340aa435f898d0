public import AiboxWire

/// What a sandbox loses while it runs, and when: the entries of its allow-list that rest on exceptions whose day is over.
public struct ExceptionEnding: Sendable, Equatable {
    /// Seconds since 1970-01-01T00:00:00Z: the first moment at which the exceptions no longer hold.
    public var at: Int64
    /// The exceptions and whose they are, for people.
    public var words: String
    /// Ids of the entries that are no more from then on.
    public var entries: [String]
    /// Why nothing at all can be reached from then on; nil: the rest of the list stays.
    public var closing: String?

    public init(at: Int64, words: String, entries: [String] = [], closing: String? = nil) {
        self.at = at
        self.words = words
        self.entries = entries
        self.closing = closing
    }

    /// The policy as the policies in Rego read it, without what has ended.
    public func applied(to policy: JSONValue) -> JSONValue {
        guard case .object(var document) = policy, case .object(var network)? = document["network"] else {
            return policy
        }
        let kept = (network["allow"]?.elements ?? []).filter { entry in
            closing == nil && !entries.contains(entry["id"]?.stringValue ?? "")
        }
        network["allow"] = .array(kept)
        document["network"] = .object(network)
        return .object(document)
    }
}

extension ExceptionEnding {
    public var json: JSONValue {
        var object: JSONObject = [
            "at": .integer(at), "words": .string(words), "entries": .array(entries.map { .string($0) }),
        ]
        object["closing"] = closing.map { .string($0) }
        return .object(object)
    }

    public init(json: JSONValue) throws(WireError) {
        var fields = try WireFields(json, in: "ending")
        self.init(
            at: try fields.integer("at"), words: try fields.string("words"), entries: try fields.texts("entries"),
            closing: try fields.optionalString("closing"))
        try fields.finish()
    }
}
