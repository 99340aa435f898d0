/// A key of AWS, with which requests are signed (docs.aws.amazon.com/IAM/latest/UserGuide, "Create a signed AWS API request";
/// AWS Signature Version 4).
public struct AWSKey: Sendable, Equatable {
    public var id: String
    public var secret: String
    /// Of a session that ends.
    public var token: String?

    /// From `ID:SECRET` or `ID:SECRET:TOKEN`; nil for anything else. None of the three has a colon in it.
    public init?(_ text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard Self.begins(text), (2...3).contains(parts.count), parts.allSatisfy({ !$0.isEmpty }) else { return nil }
        id = parts[0]
        secret = parts[1]
        token = parts.count == 3 ? parts[2] : nil
    }

    /// Whether the text is meant to be one: ids of keys begin so (docs.aws.amazon.com/IAM/latest/UserGuide,
    /// "Unique identifiers"), keys of Bedrock's own do not.
    public static func begins(_ text: String) -> Bool { text.hasPrefix("AKIA") || text.hasPrefix("ASIA") }
}

extension BrokerPlan.Grant {
    /// What of its key is secret: all of it, and each part of one of AWS's but its id.
    public var secrets: [String] {
        guard let key = AWSKey(secret) else { return [secret] }
        return [secret, key.secret] + [key.token].compactMap(\.self)
    }

    /// Whether a key of AWS's would go out as it is: requests are signed with one for Bedrock, and for nobody else.
    public var wouldShowAWSKey: Bool {
        AWSKey(secret) != nil && !bases.allSatisfy { LLMStyle.split($0).style == .bedrock }
    }
}
