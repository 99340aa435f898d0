import AiboxConfig

/// The form of a value in a policy.
indirect enum PolicyKind: Sendable {
    case boolean
    case integer(ClosedRange<Int>)
    /// Bytes, written as `8g`.
    case size
    /// Money in millionths, written as `12.50`.
    case amount
    /// Seconds, written as `8h`.
    case duration
    /// A day, written as `2027-01-31`.
    case date
    case choice([String])
    case text(PolicyText)
    case list(PolicyKind, least: Int = 0)
    /// Keys of the author's own.
    case table(PolicyText, PolicyKind)
    /// A value of a setting: a boolean, a whole number, a text or a list of texts.
    case setting
    case group([PolicyMember])

    /// In words that complete `must be ...`.
    var words: String {
        switch self {
        case .boolean: "true or false"
        case .integer(let range): "a whole number from \(range.lowerBound) to \(range.upperBound)"
        case .size: "a size such as 512m, 8g or 2GiB"
        case .amount: "an amount such as 12.50"
        case .duration: "a duration such as 90s, 30m or 8h"
        case .date: "a day such as 2027-01-31"
        case .choice(let names): names.count == 1 ? names[0] : "one of " + names.joined(separator: ", ")
        case .text(let form): form.name
        case .list(let element, _): "a list, each " + element.words
        case .table(let key, let value): "a mapping from \(key.name) to " + value.words
        case .setting: "a value of the setting"
        case .group(let members): "{" + members.map(\.name).joined(separator: ", ") + "}"
        }
    }
}

/// A key of a group.
struct PolicyMember: Sendable {
    let name: String
    let kind: PolicyKind
    let isRequired: Bool
    let documentation: String

    init(_ name: String, _ kind: PolicyKind, isRequired: Bool = false, _ documentation: String) {
        self.name = name
        self.kind = kind
        self.isRequired = isRequired
        self.documentation = documentation
    }
}

/// A field of a policy: one row of `PolicySchema`, from which reading, merging, the JSON schema and the documentation follow.
public struct PolicyField: Sendable {
    /// With its section: `network.allow`.
    public let name: String
    let kind: PolicyKind
    let order: PolicyOrder
    /// What holds where no document says anything; nil: no limit.
    let standard: PolicyItem.Content?
    public let enforcement: Enforcement
    public let documentation: String

    /// Whether this aibox does what the field says.
    public enum Enforcement: Sendable, Equatable {
        /// By what, in words.
        case enforced(String)
        /// Only this value is how it is; any other one is not.
        case always(String)
        /// Nothing in this version looks at it: said at every start, and refused where `required` names it.
        case notYet
    }

    init(
        _ name: String, _ kind: PolicyKind, _ order: PolicyOrder, standard: PolicyItem.Content?,
        _ enforcement: Enforcement, _ documentation: String
    ) {
        self.name = name
        self.kind = kind
        self.order = order
        self.standard = standard
        self.enforcement = enforcement
        self.documentation = documentation
    }

    /// `network` of `network.allow`; the name itself where there is no section.
    var section: String { String(name.prefix { $0 != "." }) }

    /// `allow` of `network.allow`; nil where there is no section.
    var key: String? { name.contains(".") ? String(name.drop { $0 != "." }.dropFirst()) : nil }
}
