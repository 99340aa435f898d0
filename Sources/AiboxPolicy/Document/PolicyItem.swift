/// A value of a policy and the place it was written at. Two are equal if they say the same, wherever they stand.
public struct PolicyItem: Sendable, Hashable {
    public var content: Content
    public var origin: PolicyOrigin

    public indirect enum Content: Sendable, Hashable {
        case boolean(Bool)
        /// A count, bytes or seconds, as the field says.
        case integer(Int)
        case text(String)
        case list([PolicyItem])
        case group([String: PolicyItem])
    }

    public init(_ content: Content, _ origin: PolicyOrigin) {
        self.content = content
        self.origin = origin
    }

    public static func == (left: PolicyItem, right: PolicyItem) -> Bool { left.content == right.content }

    public func hash(into hasher: inout Hasher) { hasher.combine(content) }
}

extension PolicyItem {
    public var boolean: Bool? {
        if case .boolean(let value) = content { return value }
        return nil
    }

    public var integer: Int? {
        if case .integer(let value) = content { return value }
        return nil
    }

    public var text: String? {
        if case .text(let value) = content { return value }
        return nil
    }

    /// The elements of a list; none for everything else.
    public var elements: [PolicyItem] {
        if case .list(let elements) = content { return elements }
        return []
    }

    /// The elements that are texts.
    public var texts: [String] { elements.compactMap(\.text) }

    /// The members of a group, by name; none for everything else.
    public var members: [String: PolicyItem] {
        if case .group(let members) = content { return members }
        return [:]
    }

    public subscript(member: String) -> PolicyItem? { members[member] }
}
