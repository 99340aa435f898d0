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
            return isValue ? hidden : masked(word)
        }
        return (words, words != argv)
    }

    /// Whether the next word is its value: `--token`, `-token`. What `-p` is, is not known.
    private static func isName(_ word: String) -> Bool {
        word.hasPrefix("-") && !word.contains { $0 == "=" || $0 == ":" } && says(word)
    }

    private static func says(_ name: some StringProtocol) -> Bool {
        let lower = name.lowercased()
        return names.contains { lower.contains($0) }
    }

    private static func masked(_ word: String) -> String { tokensMasked(schemesMasked(valuesMasked(userMasked(word)))) }

    /// `--token=x`, `TOKEN=x y`, `?access_token=x&y`, `-HAuthorization: x`, `Authorization: x`: a value after `=` ends where the next
    /// one can begin, one after `:` with its line.
    private static func valuesMasked(_ word: String) -> String {
        var result = ""
        var rest = word[...]
        while let at = rest.firstIndex(where: { $0 == "=" || $0 == ":" }) {
            let name = rest[..<at].reversed().prefix { $0.isLetter || $0.isNumber || "_-.".contains($0) }
            let behind = rest[rest.index(after: at)...]
            result += rest[...at]
            rest = behind
            guard says(String(name.reversed())), !behind.hasPrefix("//") else { continue }
            let isHeader = word[at] == ":"
            let end = behind.firstIndex { isHeader ? $0.isNewline : $0.isWhitespace || "&;,\"'".contains($0) }
            let value = behind[..<(end ?? behind.endIndex)]
            if value.allSatisfy(\.isWhitespace) { continue }
            result += (isHeader ? " " : "") + hidden
            rest = behind[value.endIndex...]
        }
        return result + rest
    }

    /// `Basic x`, `Bearer x`, wherever they stand (RFC 9110, section 11.4).
    private static func schemesMasked(_ word: String) -> String {
        var result: [Substring] = []
        for part in word.split(separator: " ", omittingEmptySubsequences: false) {
            let scheme = result.last.map { $0.suffix(6).lowercased() } ?? ""
            let isCredential = scheme.hasSuffix("basic") || scheme.hasSuffix("bearer")
            result.append(isCredential && !part.isEmpty ? Substring(hidden) : part)
        }
        return result.joined(separator: " ")
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
