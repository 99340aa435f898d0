import AiboxSystem

/// The domains under which strangers can register names (publicsuffix.org): a wildcard directly below
/// one would allow names that anybody can own.
///
/// A floor of built-in rules holds on every machine; the system's list (Debian: `publicsuffix`), where
/// present, can only add to it.
public struct PublicSuffixList: Sendable {
    /// Where Debian's package puts the list.
    public static let systemPath = "/usr/share/publicsuffix/public_suffix_list.dat"

    private let exact: Set<String>
    /// `x` of a rule `*.x`: every name directly below is a suffix.
    private let wildcard: Set<String>
    private let exceptions: Set<String>

    /// Only the built-in floor.
    public static let floor = PublicSuffixList(text: "")

    /// The floor, and the system's list where it can be read.
    public static func system(path: String = systemPath) -> PublicSuffixList {
        PublicSuffixList(text: (try? File.text(path)) ?? "")
    }

    /// - Parameter text: the list's own format: a rule a line, `//` starts a comment.
    public init(text: String) {
        var exact: Set<String> = []
        var wildcard: Set<String> = []
        var exceptions: Set<String> = []
        for line in text.utf8.split(separator: UInt8(ascii: "\n")) {
            guard let word = line.split(separator: UInt8(ascii: " ")).first, !word.starts(with: "//".utf8) else {
                continue
            }
            let rule = String(Substring(word))
            if rule.utf8.first == UInt8(ascii: "!") {
                exceptions.insert(Self.normal(String(rule.dropFirst())))
            } else if rule.hasPrefix("*.") {
                wildcard.insert(Self.normal(String(rule.dropFirst(2))))
            } else {
                exact.insert(Self.normal(rule))
            }
        }
        self.exact = exact
        self.wildcard = wildcard
        self.exceptions = exceptions
    }

    /// True if strangers can register names directly below `name`.
    public func isSuffix(_ name: HostName) -> Bool {
        // One label is a top-level domain, known or not.
        guard let parent = name.parent else { return true }
        if exceptions.contains(name.text) { return false }
        if exact.contains(name.text) || wildcard.contains(parent.text) { return true }
        return Self.floorHolds(name)
    }

    /// True if names directly below `name` are themselves suffixes.
    public func hasSuffixesBelow(_ name: HostName) -> Bool { wildcard.contains(name.text) }

    private static func normal(_ rule: String) -> String { (try? HostName(rule))?.text ?? rule }

    /// `co.uk`, `com.au`, `gov.br` and their like below country codes, and the hosting domains that
    /// agents are most likely to meet.
    private static func floorHolds(_ name: HostName) -> Bool {
        if hosting.contains(name.text) { return true }
        let labels = name.labels
        guard labels.count == 2, labels[1].utf8.count == 2 else { return false }
        return registryLabels.contains(String(labels[0]))
    }

    private static let registryLabels: Set<String> = [
        "ac", "asn", "asso", "biz", "co", "com", "ed", "edu", "fin", "gen", "go", "gob", "gouv", "gov", "gub", "gv",
        "id", "ind", "inf", "info", "int", "k12", "law", "lg", "ltd", "me", "med", "mil", "muni", "name", "ne", "net",
        "nhs", "nic", "nom", "or", "org", "plc", "police", "pro", "re", "res", "sch", "school", "tm", "web",
    ]

    private static let hosting: Set<String> = [
        "appspot.com", "azurewebsites.net", "blogspot.com", "cloudapp.net", "cloudfront.net", "deno.dev",
        "duckdns.org", "firebaseapp.com", "fly.dev", "github.io", "githubusercontent.com", "gitlab.io", "glitch.me",
        "herokuapp.com", "netlify.app", "ngrok.app", "ngrok.io", "onrender.com", "pages.dev", "r2.dev",
        "readthedocs.io", "repl.co", "replit.app", "s3.amazonaws.com", "surge.sh", "trycloudflare.com", "vercel.app",
        "web.app", "workers.dev",
    ]
}
