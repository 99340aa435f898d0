import AiboxSystem

/// Where a bundle is fetched.
enum BundleAddress: Sendable, Equatable {
    /// A packed bundle, or a folder with the files of one.
    case path(String)
    /// `git+URL#REF:PATH`: the same in a commit of a repository.
    case git(url: String, ref: String, path: String)
    /// `target` is the path with its query.
    case https(host: String, port: UInt16, path: String, query: String)

    init(_ text: String) throws(AiboxError) {
        func wrong(_ why: String) -> AiboxError {
            AiboxError(
                .usage, "\(SafeText.escaped(text)) is no place of a bundle", why: why,
                remedy: "https://HOST[:PORT]/PATH, git+https://HOST/PATH#REF:PATH, git+ssh://..., file:///PATH or /PATH"
            )
        }
        if text.utf8.contains(where: { $0 <= 0x20 || $0 == 0x7f }) {
            throw wrong("it has a space or a control character")
        }
        if text.hasPrefix("/") {
            self = .path(text)
        } else if text.hasPrefix("file:///") {
            self = .path(String(text.dropFirst("file://".count)))
        } else if text.hasPrefix("git+") {
            let halves = text.dropFirst("git+".count).split(
                separator: "#", maxSplits: 1, omittingEmptySubsequences: false)
            let url = String(halves[0])
            guard ["https://", "ssh://", "file:///"].contains(where: { url.hasPrefix($0) && url.count > $0.count })
            else {
                throw wrong("it is none of git+https://, git+ssh://, git+file:///")
            }
            if Self.hasPassword(url) { throw wrong("a password does not belong there") }
            let place = (halves.count == 2 ? halves[1] : "").split(
                separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            let ref = place[0].isEmpty ? "HEAD" : String(place[0])
            let path = place.count == 2 ? place[1].drop { $0 == "/" } : ""
            guard Self.isRef(ref) else { throw wrong("\(SafeText.escaped(ref)) names no branch or tag") }
            guard path.split(separator: "/").allSatisfy({ $0 != ".." && $0 != "." }) else {
                throw wrong("its path leads out of the repository")
            }
            self = .git(url: url, ref: ref, path: String(path))
        } else if text.hasPrefix("https://") {
            let rest = text.dropFirst("https://".count)
            let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
            let target = rest.dropFirst(authority.count)
            if target.contains("#") { throw wrong("it has a fragment") }
            guard target.hasPrefix("/"), target.count > 1 else { throw wrong("it names no file") }
            if authority.contains("@") { throw wrong("a user or password does not belong there") }
            let parts = authority.split(separator: ":", omittingEmptySubsequences: false)
            guard let host = parts.first, !host.isEmpty, parts.count <= 2,
                let port = parts.count == 2 ? UInt16(parts[1]) : 443, port > 0
            else { throw wrong("its host and port make no sense") }
            let halves = target.split(separator: "?", maxSplits: 1)
            self = .https(
                host: String(host), port: port, path: String(halves[0]),
                query: halves.count == 2 ? "?" + halves[1] : "")
        } else {
            throw wrong("it begins with none of https://, git+, file:/// and /")
        }
    }

    private static func hasPassword(_ url: String) -> Bool {
        let authority = url.drop { $0 != ":" }.dropFirst(3).prefix { $0 != "/" }
        guard let at = authority.lastIndex(of: "@") else { return false }
        return authority[..<at].contains(":")
    }

    private static func isRef(_ ref: String) -> Bool {
        ref.utf8.allSatisfy {
            (0x30...0x39).contains($0) || (0x41...0x5a).contains($0) || (0x61...0x7a).contains($0)
                || "._-/".utf8.contains($0)
        } && !ref.hasPrefix("-") && !ref.contains("..") && ref.utf8.count <= 256
    }
}
