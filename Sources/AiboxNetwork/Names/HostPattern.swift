/// What an allow-list entry may name: one host, or every host one label below a domain.
public enum HostPattern: Sendable, Hashable, CustomStringConvertible {
    case exact(HostName)
    /// `*.internal.example`: matches `a.internal.example`, neither `internal.example` nor `a.b.internal.example`.
    case oneLabelBelow(HostName)

    /// Names that aibox itself answers for; no policy can give them another meaning.
    public static let reservedDomain = HostName(trusted: "aibox.internal")

    /// - Parameter suffixes: below these no wildcard is accepted.
    public init(_ text: String, suffixes: PublicSuffixList = .floor) throws(HostPatternFailure) {
        let asterisk: Character = "*"
        guard text.contains(asterisk) else {
            let name = try Self.name(text)
            if name.parent == nil { throw .singleLabel(name.text) }
            if name == Self.reservedDomain || name.text.hasSuffix("." + Self.reservedDomain.text) { throw .reserved }
            self = .exact(name)
            return
        }
        if text == "*" { throw .everything }
        guard text.hasPrefix("*."), !text.dropFirst(2).contains(asterisk) else { throw .partialWildcard }
        let base = try Self.name(String(text.dropFirst(2)))
        if base.parent == nil || suffixes.isSuffix(base) || suffixes.hasSuffixesBelow(base) {
            throw .publicSuffix(base.text)
        }
        if base == Self.reservedDomain || base.text.hasSuffix("." + Self.reservedDomain.text) { throw .reserved }
        self = .oneLabelBelow(base)
    }

    private static func name(_ text: String) throws(HostPatternFailure) -> HostName {
        do { return try HostName(text) } catch { throw .name(error) }
    }

    public func matches(_ name: HostName) -> Bool {
        switch self {
        case .exact(let host): host == name
        case .oneLabelBelow(let base): name.parent == base
        }
    }

    /// True if every name that `other` matches is matched by this one as well.
    public func covers(_ other: HostPattern) -> Bool {
        switch other {
        case .exact(let name): matches(name)
        case .oneLabelBelow: self == other
        }
    }

    public var isExact: Bool {
        if case .exact = self { true } else { false }
    }

    public var description: String {
        switch self {
        case .exact(let name): name.text
        case .oneLabelBelow(let base): "*." + base.text
        }
    }
}

/// Why a text is no host pattern.
public enum HostPatternFailure: Error, Sendable, Equatable {
    case everything, partialWildcard, reserved
    case publicSuffix(String)
    case singleLabel(String)
    case name(HostNameFailure)

    public var reason: String {
        switch self {
        case .everything: "\"*\" would allow every host"
        case .partialWildcard: "a wildcard stands for one whole label at the front, as in *.internal.example"
        case .reserved: "names below aibox.internal belong to aibox"
        case .publicSuffix(let base): "anybody can register names below \(base)"
        case .singleLabel(let name): "\(name) has no dot, so what it means depends on the machine; write the full name"
        case .name(let failure): failure.reason
        }
    }
}
