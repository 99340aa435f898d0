/// A rule about what must not leave with a request to a language model (`llm.dlp`).
public struct LeakRule: Sendable, Equatable {
    public enum Content: Sendable, Equatable {
        /// A text that must never leave, in whatever encoding.
        case canary(String)
        /// A regular expression in RE2's syntax.
        case pattern(String)
    }

    /// Stands in every decision.
    public var id: String
    public var content: Content
    /// The request is refused; otherwise it passes, and the log says so.
    public var blocks: Bool
    /// Whose rule it is: `org`, `team`, `project`.
    public var layer: String

    public init(id: String, _ content: Content, blocks: Bool, layer: String) {
        self.id = id
        self.content = content
        self.blocks = blocks
        self.layer = layer
    }

    /// Instructions that a pattern may have.
    public static let patternSize = 512
    /// Rules of one document.
    public static let documentLimit = 32
    /// Patterns that have a name (`known`).
    ///
    /// - `aws-access-key`: IAM User Guide, "IAM identifiers", unique ID prefixes AKIA and ASIA.
    /// - `private-key`: RFC 7468 sections 10 and 11, OpenSSH's `PROTOCOL.key`, RFC 9580 section 6.2.1.
    /// - `github-token`: GitHub Docs, "About authentication to GitHub", token formats.
    /// - `gitlab-token`: GitLab Docs, "Token overview", token prefixes.
    /// - `slack-token`: Slack API, "Tokens".
    /// - `google-api-key`: Google Cloud, "Manage API keys".
    /// - `jwt`: RFC 7515 section 3.1 in the compact form of RFC 7519; a JSON object's `{"` is `eyJ` in Base64.
    public static let known: [(name: String, pattern: String)] = [
        ("aws-access-key", "A(?:KIA|SIA)[A-Z0-9]{16}"),
        ("private-key", "-----BEGIN (?:[A-Z0-9]{1,16} ){0,3}PRIVATE KEY(?: BLOCK)?-----"),
        ("github-token", "g(?:h[pousr]_[A-Za-z0-9]{36}|ithub_pat_[A-Za-z0-9_]{22})"),
        ("gitlab-token", "glpat-[A-Za-z0-9_-]{20}"),
        ("slack-token", "x(?:ox[a-z]|app)-[A-Za-z0-9-]{10}"),
        ("google-api-key", "AIza[A-Za-z0-9_-]{35}"),
        ("jwt", "eyJ[A-Za-z0-9_-]{10,}\\.eyJ[A-Za-z0-9_-]{10,}\\.[A-Za-z0-9_-]{10}"),
    ]
}

extension LeakRule {
    public var json: JSONValue {
        var object: JSONObject = ["id": .string(id), "blocks": .bool(blocks), "layer": .string(layer)]
        switch content {
        case .canary(let text): object["canary"] = .string(text)
        case .pattern(let text): object["pattern"] = .string(text)
        }
        return .object(object)
    }

    public init(json: JSONValue) throws(WireError) {
        var fields = try WireFields(json, in: "rule of llm.dlp")
        id = try fields.string("id")
        blocks = try fields.bool("blocks")
        layer = try fields.string("layer")
        if let canary = try fields.optionalString("canary") {
            content = .canary(canary)
        } else {
            content = .pattern(try fields.string("pattern"))
        }
        try fields.finish()
    }
}
