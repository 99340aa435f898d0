/// What git asks a credential helper (git-credential(1), "Input/output format").
///
/// Keys and values in lines until an empty one or the end; a key that ends in `[]` may come again. Keys that nobody here
/// knows are left, as the manual asks.
public struct GitCredentialRequest: Sendable, Equatable {
    /// Only `https` is ever answered.
    public var scheme: String
    /// With its port, if it is not the scheme's own.
    public var host: String
    /// Only with `credential.useHttpPath`; without the slash at the beginning.
    public var path: String?
    public var username: String?
    /// What this git can do beyond user and password: `authtype`, `state`.
    public var capabilities: [String]

    /// Bytes at most.
    public static let limit = 65_536

    /// - Returns: nil for what git does not send: a line without `=`, a key of one value that comes twice, a control
    ///   character (git has been made to send line breaks inside of values before: CVE-2020-5260, CVE-2024-52006), bytes that are
    ///   no UTF-8, no host.
    public init?(_ bytes: [UInt8]) {
        if bytes.count > Self.limit { return nil }
        var single: [String: String] = [:]
        var capabilities: [String] = []
        for line in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            if line.isEmpty { break }
            if line.contains(where: { $0 < 0x20 || $0 == 0x7f }) { return nil }
            guard let text = String(validating: line, as: UTF8.self),
                let equals = text.utf8.firstIndex(of: UInt8(ascii: "=")),
                equals > text.startIndex
            else { return nil }
            let (key, value) = (String(text[..<equals]), String(text[text.utf8.index(after: equals)...]))
            if key.utf8.suffix(2).elementsEqual("[]".utf8) {
                // An empty value forgets those before it.
                if key == "capability[]" { capabilities = value.isEmpty ? [] : capabilities + [value] }
            } else if single.updateValue(value, forKey: key) != nil {
                return nil
            }
        }
        guard let scheme = single["protocol"], let host = single["host"], !host.isEmpty else { return nil }
        self.scheme = scheme
        self.host = host
        path = single["path"]
        username = single["username"]
        self.capabilities = capabilities
    }

    /// Whether the host is spelled as a name in ASCII with at most a port: what remains is asked about, the rest is not
    /// worth a process. A dot at its end is another spelling of the same name, about which programs have differed: refused.
    public var isPlausible: Bool {
        scheme == "https" && host.utf8.count <= 262 && !host.hasSuffix(".") && !host.contains(".:")
            && host.utf8.allSatisfy { byte in
                switch byte {
                case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2d, 0x2e, 0x3a: true
                default: false
                }
            }
    }
}

/// What a helper answers.
public struct GitCredentialAnswer: Sendable {
    public enum Form: Sendable {
        case basic(user: String)
        /// Needs the capability `authtype`.
        case bearer
    }

    /// The lines as git reads them.
    ///
    /// - Parameters:
    ///   - secret: without control characters.
    ///   - expires: seconds since 1970.
    public static func bytes(_ form: Form, secret: String, expires: Int64? = nil) -> [UInt8] {
        var lines: [String]
        switch form {
        case .basic(let user): lines = ["username=" + user, "password=" + secret]
        case .bearer: lines = ["capability[]=authtype", "authtype=Bearer", "credential=" + secret]
        }
        if let expires { lines.append("password_expiry_utc=\(expires)") }
        return Array((lines.joined(separator: "\n") + "\n").utf8)
    }
}
