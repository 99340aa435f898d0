public import AiboxNetwork
public import AiboxSystem

/// Which credential: its type and which one of that type, `git-token:github.com`, `llm-api-key:anthropic`.
public struct CredentialName: Sendable, Hashable, CustomStringConvertible {
    public let type: CredentialType
    /// A host with its port unless that is 443, a provider, or a name.
    public let qualifier: String

    private init(_ type: CredentialType, _ qualifier: String) {
        self.type = type
        self.qualifier = qualifier
    }

    public static func git(_ host: HostName, port: UInt16 = 443) -> CredentialName {
        CredentialName(.git, CredentialDestination(host: host, port: port).description)
    }

    public static func mirror(_ host: HostName, port: UInt16 = 443) -> CredentialName {
        CredentialName(.mirror, CredentialDestination(host: host, port: port).description)
    }

    public static func llm(_ provider: LLMProvider) -> CredentialName { CredentialName(.llm, provider.rawValue) }

    /// - Parameter name: 1 to 64 letters, digits and `-_.`, a letter or digit first.
    public static func custom(_ name: String) throws(AiboxError) -> CredentialName {
        try CredentialName("custom:" + name)
    }

    public init(_ text: String) throws(AiboxError) {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        // Whatever was typed is not repeated: it may be the secret itself.
        guard let type = parts.first.flatMap({ CredentialType(rawValue: String($0)) }) else {
            throw AiboxError(.usage, "there is no such type of credential", remedy: Self.forms)
        }
        guard parts.count == 2, !parts[1].isEmpty else {
            throw AiboxError(
                .usage, "\(type.rawValue) needs to say which one", remedy: "\(type.rawValue):\(type.qualifier)")
        }
        let rest = String(parts[1])
        switch type {
        case .git, .mirror:
            let destination = try CredentialDestination(rest)
            guard destination.path == "/" else {
                throw AiboxError(
                    .usage, "\(type.rawValue) is named by a host alone", remedy: "a path goes to --path")
            }
            self.init(type, destination.description)
        case .llm:
            guard let provider = LLMProvider(rawValue: rest) else {
                throw AiboxError(
                    .usage, "there is no such provider", remedy: "llm-api-key:\(type.qualifier)")
            }
            self = .llm(provider)
        case .custom:
            guard Self.isPlain(rest) else {
                throw AiboxError(
                    .usage, "this cannot be the name of a credential",
                    why: "names are 1 to 64 letters, digits and - _ . with a letter or digit first")
            }
            self.init(.custom, rest)
        }
    }

    static let forms =
        "the types: " + CredentialType.allCases.map { "\($0.rawValue):\($0.qualifier)" }.joined(separator: ", ")

    /// The provider, of a key for a model.
    public var provider: LLMProvider? { type == .llm ? LLMProvider(rawValue: qualifier) : nil }

    public var description: String { type.rawValue + ":" + qualifier }

    private static func isPlain(_ text: String) -> Bool {
        func isLetterOrDigit(_ byte: UInt8) -> Bool {
            switch byte {
            case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
            default: false
            }
        }
        guard let first = text.utf8.first, isLetterOrDigit(first), text.utf8.count <= 64 else { return false }
        return text.utf8.allSatisfy { isLetterOrDigit($0) || "-_.".utf8.contains($0) }
    }
}

extension CredentialName: Comparable {
    /// In the order of the types.
    public static func < (left: CredentialName, right: CredentialName) -> Bool {
        let order = CredentialType.allCases
        return (order.firstIndex(of: left.type) ?? 0, left.qualifier)
            < (order.firstIndex(of: right.type) ?? 0, right.qualifier)
    }
}
