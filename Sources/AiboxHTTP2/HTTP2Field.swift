/// A field of a head or of trailers (RFC 9113, section 8.2): the name in lower case, pseudo-header fields with their colon.
public struct HTTP2Field: Sendable, Equatable {
    public var name: String
    public var value: String

    public init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }

    /// What it counts for in the size of a list of fields (RFC 9113, section 6.5.2).
    var size: Int { name.utf8.count + value.utf8.count + 32 }
}

extension [HTTP2Field] {
    /// The value of the first field of that name.
    public subscript(name: String) -> String? { first { $0.name == name }?.value }
}
