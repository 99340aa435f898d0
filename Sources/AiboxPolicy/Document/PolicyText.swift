import AiboxConfig
import AiboxNetwork
import AiboxWire
import Rego

/// What a text in a policy must look like.
struct PolicyText: Sendable {
    /// For messages and the documentation: `an absolute path`.
    let name: String
    let example: String
    /// What the JSON schema says of it: a regular expression (ECMA 262) that finds every text that is accepted.
    var pattern: String?
    /// Every text that is accepted, where they can be counted.
    var choices: [String]?
    let accepts: @Sendable (String) -> Bool

    static let line = PolicyText(name: "a line of text", example: "agreed with security") {
        !$0.isEmpty && $0.utf8.count <= 1000 && $0.isPrintable
    }
    static let identifier = PolicyText(
        name: "letters, digits, - _ and ., 64 at most", example: "git", pattern: "^[A-Za-z0-9_.-]{1,64}$"
    ) {
        text in
        !text.isEmpty && text.utf8.count <= 64 && text.utf8.allSatisfy { $0.isPlain }
    }
    /// In the one form in which paths are compared.
    static let path = PolicyText(
        name: "an absolute path without ., .. and //", example: "/workspace/secrets",
        pattern: "^/(?!/)(?!.*//)(?!(.*/)?\\.{1,2}(/|$))(.*[^/])?$"
    ) { text in
        guard text.hasPrefix("/"), text.isPrintable else { return false }
        let parts = text.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
        return text == "/" || parts.allSatisfy { !$0.isEmpty && $0 != "." && $0 != ".." }
    }
    static let addresses = PolicyText(name: "a block of addresses such as 10.1.0.0/16", example: "10.1.0.0/16") {
        AddressRange($0) != nil
    }
    static let address = PolicyText(name: "an address", example: "10.1.2.3") { IPAddress($0) != nil }
    static let hostName = PolicyText(name: "a host name", example: "git.example.com") { (try? HostName($0)) != nil }
    static let hostNameOrAddress = PolicyText(name: "a host name or an address", example: "proxy.example.com") {
        (try? HostName($0)) != nil || IPAddress($0) != nil
    }
    /// Checked as a whole entry, with better words, by `AllowList`.
    static let any = PolicyText(name: "a text", example: "*.example.com") { _ in true }
    static let pattern = PolicyText(
        name: "a text in which * stands for anything", example: "small-*", pattern: "^[^?\\[\\]{}\\\\!]{1,256}$"
    ) {
        !$0.isEmpty && $0.utf8.count <= 256 && $0.isPrintable && $0.hasPlainAsterisks
    }
    static let refPattern = PolicyText(
        name: "the short name of a ref, in which * stands for a part and ** for any number of parts",
        example: "release/*"
    ) {
        !$0.isEmpty && $0.utf8.count <= 256 && $0.isPrintable && $0.hasPlainAsterisks && !$0.hasPrefix("/")
            && !$0.hasPrefix("refs/")
    }
    static let word = PolicyText(name: "a word of a command line, in which * stands for anything", example: "push") {
        !$0.isEmpty && $0.utf8.count <= 1024 && $0.isPrintable && (!$0.contains("*") || $0.hasPlainAsterisks)
    }
    static let recipient = PolicyText(
        name: "aibox-recording: and a public key",
        example: "aibox-recording:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", pattern: "^aibox-recording:.{43}=$"
    ) { $0.hasPrefix("aibox-recording:") && $0.utf8.count == 60 && $0.hasSuffix("=") && $0.isPrintable }
    static let canary = PolicyText(
        name: "8 to 256 bytes of text, 8 of them no spaces", example: "AIBOX-CANARY-7f3a9c", pattern: "^.{2,256}$"
    ) { $0.utf8.count <= 256 && $0.isPrintable && $0.utf8.count { $0 != 0x20 } >= 8 }
    /// What matches nothing at all would match every request.
    static let expression = PolicyText(
        name:
            "a regular expression (RE2) of 512 bytes and \(LeakRule.patternSize) instructions at most that does not match an empty text",
        example: "ACME-[0-9]{6}"
    ) { text in
        guard !text.isEmpty, text.utf8.count <= 512, text.isPrintable, let pattern = try? TextPattern(text) else {
            return false
        }
        return pattern.size <= LeakRule.patternSize && !pattern.matches("")
    }
    static let setting = PolicyText(
        name: "a setting of aibox", example: "gvisor.enabled", choices: ConfigurationSchema.keys.map(\.name)
    ) {
        ConfigurationSchema.key($0) != nil
    }
    static let part = PolicyText(name: "a section or a field of a policy", example: "tools") {
        PolicySchema.names(part: $0) != nil
    }
}

extension UInt8 {
    fileprivate var isPlain: Bool {
        switch self {
        case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."): true
        default: false
        }
    }
}

extension String {
    fileprivate var isPrintable: Bool {
        unicodeScalars.allSatisfy { $0.value >= 0x20 && !(0x7f...0x9f).contains($0.value) }
    }

    /// Without the other characters that a glob gives a meaning to.
    fileprivate var hasPlainAsterisks: Bool { !contains { "?[]{}\\!".contains($0) } }
}
