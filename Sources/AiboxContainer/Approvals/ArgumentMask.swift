/// Hides in a command line what looks like a secret, before it leaves this machine.
///
/// Values of options, variables and headers whose names say so, passwords in URLs, and tokens that are known by their
/// beginning. It knows no others: what nothing marks as a secret is sent.
enum ArgumentMask {
    static let hidden = "***"

    private static let names = [
        "password", "passwd", "passphrase", "secret", "token", "apikey", "api-key", "api_key", "authorization",
        "credential", "private-key", "private_key", "access-key", "access_key", "cookie",
    ]
    private static let beginnings = [
        "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-", "sk-", "xoxb-", "xoxp-", "AKIA", "ASIA",
        "hvs.",
        "eyJ", "npm_", "pypi-",
    ]

    /// The words with what is hidden, and whether there was any.
    static func masked(_ argv: [String]) -> (argv: [String], hasHidden: Bool) {
        var isValue = false
        let words = argv.map { word -> String in
            defer { isValue = isName(word) }
            if isValue, !word.hasPrefix("-") { return hidden }
            return masked(word)
        }
        return (words, words != argv)
    }

    /// Whether the next word is its value: `--token`, `-p` is not known.
    private static func isName(_ word: String) -> Bool {
        word.hasPrefix("--") && !word.contains("=") && says(word)
    }

    private static func says(_ name: some StringProtocol) -> Bool {
        let lower = name.lowercased()
        return names.contains { lower.contains($0) }
    }

    private static func masked(_ word: String) -> String {
        // `--token=x`, `TOKEN=x`, `-HAuthorization: x`, `Authorization: x`
        if let at = word.firstIndex(where: { $0 == "=" || $0 == ":" }), says(word[..<at]), !word[at...].hasPrefix("://")
        {
            let sign = word[at] == ":" ? ": " : "="
            return word[..<at] + sign + hidden
        }
        return tokensMasked(userMasked(word))
    }

    /// `https://user:password@host` (RFC 3986, section 3.2.1).
    private static func userMasked(_ word: String) -> String {
        guard let scheme = word.range(of: "://") else { return word }
        let rest = word[scheme.upperBound...]
        let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        guard let at = authority.lastIndex(of: "@") else { return word }
        return word[..<scheme.upperBound] + hidden + rest[at...]
    }

    private static func tokensMasked(_ word: String) -> String {
        var result = ""
        var run = ""
        func end() {
            result += run.utf8.count >= 16 && beginnings.contains { run.hasPrefix($0) } ? hidden : run
            run = ""
        }
        for character in word {
            if character.isASCII, character.isLetter || character.isNumber || "_-.".contains(character) {
                run.append(character)
            } else {
                end()
                result.append(character)
            }
        }
        end()
        return result
    }
}

extension String {
    /// The first place of a text.
    fileprivate func range(of text: String) -> Range<String.Index>? { firstRange(of: text) }
}
