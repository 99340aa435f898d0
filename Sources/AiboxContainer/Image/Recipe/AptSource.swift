/// One package source in apt's one-line form (sources.list(5)).
public struct AptSource: Sendable, Equatable {
    /// `http://archive.example/debian`
    public var uri: String
    /// `bookworm-security`
    public var suite: String
    public var components: [String]
    /// The keyring file that its Release file has to be signed with; nil for apt's general ones.
    public var signedBy: String?

    public init(uri: String, suite: String, components: [String], signedBy: String? = nil) {
        self.uri = uri
        self.suite = suite
        self.components = components
        self.signedBy = signedBy
    }

    /// `deb [signed-by=/usr/share/keyrings/x.gpg] URI SUITE COMPONENT...`
    public var line: String {
        let options = signedBy.map { "[signed-by=\"\($0)\"] " } ?? ""
        return (["deb \(options)\(uri)", suite] + components).joined(separator: " ")
    }

    /// Reads such a line; nil if it is anything else, or trusts without a signature.
    public init?(line: String) {
        var rest = line[...]
        guard rest.hasPrefix("deb ") || rest.hasPrefix("deb\t") else { return nil }
        rest = rest.dropFirst(4).drop { $0 == " " || $0 == "\t" }
        var keyring: String?
        if rest.first == "[" {
            guard let end = rest.firstIndex(of: "]") else { return nil }
            for option in rest[rest.index(after: rest.startIndex)..<end].split(whereSeparator: \.isWhitespace) {
                let pair = option.split(separator: "=", maxSplits: 1)
                switch (pair.first.map(String.init) ?? "", pair.count) {
                case ("signed-by", 2): keyring = pair[1].filter { $0 != "\"" }
                case ("arch", 2): continue
                default: return nil
                }
            }
            rest = rest[rest.index(after: end)...]
        }
        let words = rest.split(whereSeparator: \.isWhitespace).map(String.init)
        guard words.count >= 3 else { return nil }
        self.init(uri: words[0], suite: words[1], components: Array(words[2...]), signedBy: keyring)
    }
}
