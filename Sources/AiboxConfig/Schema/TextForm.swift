import AiboxWire

/// What a text value must look like.
public struct TextForm: Sendable {
    /// For the documentation and for messages: `an absolute path`.
    public let name: String
    /// A value that is accepted, for the documentation and the tests.
    public let example: String
    let accepts: @Sendable (String) -> Bool

    /// An image reference as podman takes it, or nothing.
    static let image = TextForm(name: "an image reference, or empty", example: "registry.example/aibox/base:1") {
        $0.isEmpty || isImageReference($0)
    }
    static let path = TextForm(name: "a path", example: "~/project") { !$0.isEmpty && isPrintable($0) }
    static let absolutePath = TextForm(name: "an absolute path", example: "/etc/aibox/org-policy.yaml") {
        $0.hasPrefix("/") && isPrintable($0)
    }
    static let optionalPath = TextForm(name: "an absolute path, ~/..., or empty", example: "/etc/aibox/team.yaml") {
        $0.isEmpty || ($0.hasPrefix("/") || $0.hasPrefix("~/")) && isPrintable($0)
    }
    static let pathFromAnywhere = TextForm(name: "an absolute path or ~/...", example: "/etc/aibox/keys/images.pub") {
        ($0.hasPrefix("/") || $0.hasPrefix("~/")) && isPrintable($0)
    }
    /// A path that stays below the folder it is relative to.
    static let relativePath = TextForm(name: "a relative path without ..", example: "aibox/policy.yaml") { text in
        !text.isEmpty && !text.hasPrefix("/") && isPrintable(text)
            && !text.split(separator: "/").contains("..")
    }
    static let domain = TextForm(name: "a host name, or *.name", example: "*.example.org") { isDomain($0) }
    /// A token is never sent in the clear.
    static let vaultAddress = TextForm(
        name: "an https URL without a path, or empty", example: "https://vault.example.org:8200"
    ) { text in
        let rest = text.dropFirst("https://".count)
        return text.isEmpty || isURL(text) && text.hasPrefix("https://") && !rest.dropLast().contains("/")
    }

    /// Bases to which paths are added: no escapes, no hidden or dot segments.
    static let modelGateways = TextForm(
        name:
            "an http or https URL without escapes and dot segments, azure+, bedrock+ or vertex+ before it where its paths are theirs (llm-proxy.md), or up to 8 of one kind with commas between them, or empty",
        example: "https://llm.example.org, https://llm2.example.org"
    ) { text in
        let all = text.split(separator: ",", omittingEmptySubsequences: false).map { String($0).trimmingSpaces }
        let bases = all.map { LLMStyle.split($0) }
        let areBases = bases.allSatisfy { style, url in
            isURL(url) && !url.contains("%") && !url.contains("/.") && style?.accepts(url) ?? true
        }
        return text.isEmpty
            || all.count <= 8 && areBases && Set(all).count == all.count && Set(bases.map(\.style)).count == 1
    }

    static let mirror = TextForm(
        name: "\(PackageMirror.Manager.allCases.map(\.rawValue).alternatives)=https://...",
        example: "pip=https://pypi.example.org/simple"
    ) { PackageMirror($0) != nil }

    static let webhook = TextForm(
        name: "an https URL, an http URL of 127.0.0.1, or empty", example: "https://hooks.example.org/aibox"
    ) { text in
        text.isEmpty || isURL(text) && (text.hasPrefix("https://") || isLoopback(text))
    }

    static let line = TextForm(name: "a line of text", example: "This session is recorded.") {
        $0.utf8.count <= 1000 && isPrintable($0)
    }
    static let vaultPath = TextForm(name: "letters, digits and - _ . /", example: "team/aibox") {
        !$0.isEmpty && isVaultPath($0)
    }
    static let optionalVaultPath = TextForm(name: "letters, digits and - _ . /, or empty", example: "team/aibox") {
        isVaultPath($0)
    }
    static let optionalAudience = TextForm(name: "text without white space, or empty", example: "vault.example.org") {
        $0.utf8.count <= 1000 && isPrintable($0) && !$0.contains(" ")
    }
    static let optionalSocket = TextForm(name: "unix:///PATH, or empty", example: "unix:///run/spire/agent.sock") {
        $0.isEmpty || $0.hasPrefix("unix:/") && $0.utf8.count <= 1000 && isPrintable($0) && !$0.contains(" ")
    }
    /// The form only; whether it is one to the letter shows when it is used.
    static let optionalSpiffeID = TextForm(name: "spiffe://..., or empty", example: "spiffe://example.org/aibox") {
        $0.isEmpty || $0.hasPrefix("spiffe://") && $0.utf8.count <= 2048 && isPrintable($0) && !$0.contains(" ")
    }
    static let argument = TextForm(name: "an argument without white space", example: "/usr/local/bin/credentials") {
        !$0.isEmpty && $0.utf8.count <= 1000 && isPrintable($0) && !$0.contains(" ")
    }
    /// The form only; whether it is a key shows when it is used.
    static let recordingRecipient = TextForm(
        name: "aibox-recording: and a public key, or empty",
        example: "aibox-recording:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
    ) { $0.isEmpty || $0.hasPrefix("aibox-recording:") && $0.utf8.count == 60 && $0.hasSuffix("=") && isPrintable($0) }

    /// The form only; `aibox audit forward` says what is wrong with the rest.
    static let sink = TextForm(
        name: "syslog+tls://HOST:PORT, https://... or otlp+https://...", example: "syslog+tls://logs.example.org:6514"
    ) { text in
        ["syslog+tls://", "https://", "otlp+https://"].contains { text.hasPrefix($0) && text.count > $0.count }
            && isPrintable(text) && !text.contains(" ") && !text.contains(",")
    }

    /// The form only; `aibox policy pull` says what is wrong with the rest.
    static let bundle = TextForm(
        name: "https://..., git+https://..., git+ssh://..., git+file:///..., file:///..., an absolute path, or empty",
        example: "https://policy.example.org/org.tar.gz"
    ) { text in
        let schemes = ["https://", "git+https://", "git+ssh://", "git+file:///", "file:///", "/"]
        return text.isEmpty
            || schemes.contains { text.hasPrefix($0) && text.count > $0.count } && isPrintable(text)
                && !text.contains(" ")
    }

    /// The form only; `aibox audit deliver` says what is wrong with the rest.
    static let checkpointPlace = TextForm(
        name: "git+https://..., git+ssh://..., s3://BUCKET, witness+https://...?key=FILE or syslog+tls://HOST:PORT",
        example: "git+ssh://git.example.org/audit.git"
    ) { text in
        ["git+https://", "git+ssh://", "git+file:///", "s3://", "witness+https://", "syslog+tls://"].contains {
            text.hasPrefix($0) && text.count > $0.count
        } && isPrintable(text) && !text.contains(" ") && !text.contains(",")
    }

    /// Goes into the path of a request as it is.
    private static func isVaultPath(_ text: String) -> Bool {
        text.utf8.count <= 256 && text.utf8.allSatisfy { isLetterOrDigit($0) || "-_./".utf8.contains($0) }
            && !text.hasPrefix("/") && !text.hasSuffix("/")
            && text.split(separator: "/", omittingEmptySubsequences: false).allSatisfy { $0 != "." && $0 != ".." }
            && !text.contains("//")
    }

    private static func isPrintable(_ text: String) -> Bool {
        text.unicodeScalars.allSatisfy { $0.value >= 0x20 && !(0x7f...0x9f).contains($0.value) }
    }

    /// The shape only (no upper case in the name, no spaces, no leading dash): the registry decides the rest.
    private static func isImageReference(_ text: String) -> Bool {
        guard text.utf8.count <= 512, let first = text.utf8.first, isLetterOrDigit(first) else { return false }
        return text.utf8.allSatisfy { isLetterOrDigit($0) || "._-/:@".utf8.contains($0) }
    }

    /// A name of RFC 1123 labels in lower case that is no address; `*.` may stand before it.
    static func isDomain(_ text: String) -> Bool {
        let name = text.hasPrefix("*.") ? text.dropFirst(2) : text[...]
        guard !name.isEmpty, name.utf8.count <= 253 else { return false }
        let labels = name.split(separator: ".", omittingEmptySubsequences: false)
        for label in labels {
            guard let first = label.utf8.first, let last = label.utf8.last, label.utf8.count <= 63 else { return false }
            let plain = label.utf8.allSatisfy {
                isLetterOrDigit($0) && !(0x41...0x5a).contains($0) || $0 == UInt8(ascii: "-")
            }
            guard plain, first != UInt8(ascii: "-"), last != UInt8(ascii: "-") else { return false }
        }
        // A last label of digits would make it an IPv4 address (RFC 3696, section 2).
        return labels.last?.utf8.contains { !(0x30...0x39).contains($0) } ?? false
    }

    /// Scheme, host, optional port and path; no user, query or fragment.
    static func isURL(_ text: String) -> Bool {
        guard let scheme = ["https://", "http://"].first(where: { text.hasPrefix($0) }) else { return false }
        let rest = text.dropFirst(scheme.count)
        let authority = rest.prefix { $0 != "/" }
        let parts = authority.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count <= 2, let host = parts.first, !host.isEmpty else { return false }
        let name = host.lowercased()
        guard !name.hasPrefix("*"), isDomain(name) || isAddress(name) else { return false }
        if parts.count == 2, !(1...65535).contains(Int(parts[1]) ?? 0) { return false }
        let path = rest.dropFirst(authority.count)
        return path.utf8.allSatisfy { isLetterOrDigit($0) || "/._~-%".utf8.contains($0) }
    }

    /// Four decimal numbers without leading zeros.
    private static func isAddress(_ text: String) -> Bool {
        let numbers = text.split(separator: ".", omittingEmptySubsequences: false)
        return numbers.count == 4 && numbers.allSatisfy { UInt8($0).map(String.init) == String($0) }
    }

    private static func isLoopback(_ url: String) -> Bool {
        let start = "http://127.0.0.1"
        return url == start || url.hasPrefix(start + ":") || url.hasPrefix(start + "/")
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
        default: false
        }
    }
}
