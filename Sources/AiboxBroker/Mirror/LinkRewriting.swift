import AiboxNetwork
import AiboxWire
import NIOCore

/// Leads the links of an index back through the broker: npm's `dist.tarball`, NuGet's service index, cargo's `dl`, pages of
/// pip's. A client that followed one as it stands would come to the mirror without a credential, or to another path of the
/// broker's.
///
/// The exact beginning `https://HOST[:PORT]/PATH/` of places that are lent is replaced, as it is and as JSON may escape it;
/// in pip's pages and lists also the slash with which a link begins at the server's root. Nothing is parsed, and where the
/// pieces of a stream begin and end does not matter.
struct LinkRewriting {
    private struct Link {
        var from: [UInt8]
        var to: [UInt8]
        /// With a second slash it would name another server.
        var isRoot = false
    }

    private let links: [Link]
    private let firstBytes: [Bool]
    private var held: [UInt8] = []

    /// Types of indexes. None of those whose files are checked against a sum: packages, Maven's XML, Gradle's modules.
    static func isIndex(_ contentType: String?) -> Bool {
        let type = type(contentType)
        switch type {
        case "text/html", "application/json", "application/atom+xml", "application/vnd.pypi.simple.v1+html": return true
        case "application/vnd.org.gradle.module+json": return false
        // Named by the sum of their content.
        case _
        where ["oci.", "docker.", "in-toto", "dev.sigstore"].contains { type.hasPrefix("application/vnd." + $0) }:
            return false
        default: return type.hasPrefix("application/") && type.hasSuffix("+json")
        }
    }

    private static func type(_ contentType: String?) -> String {
        (contentType ?? "").prefix { $0 != ";" }.lowercased().filter { $0 != " " && $0 != "\t" }
    }

    /// - Parameters:
    ///   - broker: `host:port` as the client calls it.
    ///   - root: the broker's path of the server that answers, and the type of the answer.
    init(_ places: [PlaceAccess], broker: String, root: (path: String, contentType: String?)? = nil) {
        var links: [Link] = []
        for grant in places.map(\.grant) {
            let below = grant.path == "/" ? "/" : grant.path + "/"
            var authorities = [grant.authority]
            if grant.port == 443 { authorities.append("\(grant.host):443") }
            for authority in authorities {
                let (from, to) = ("https://\(authority)\(below)", "http://\(broker)\(grant.brokerPath)/")
                links.append(Link(from: Array(from.utf8), to: Array(to.utf8)))
                let escaped = [from, to].map { Array($0.replacing("/", with: "\\/").utf8) }
                links.append(Link(from: escaped[0], to: escaped[1]))
            }
        }
        if let root {
            let before =
                switch Self.type(root.contentType) {
                case "text/html", "application/vnd.pypi.simple.v1+html": ["href=\"", "href='"]
                case "application/vnd.pypi.simple.v1+json": ["\"url\":\"", "\"url\": \""]
                default: [String]()
                }
            for text in before {
                links.append(
                    Link(from: Array((text + "/").utf8), to: Array((text + root.path + "/").utf8), isRoot: true))
            }
        }
        self.links = links
        var firstBytes = [Bool](repeating: false, count: 256)
        for link in links { firstBytes[Int(link.from[0])] = true }
        self.firstBytes = firstBytes
    }

    /// - Returns: what can go on; empty where all of it is held back.
    mutating func feed(_ piece: ByteBuffer) -> ByteBuffer {
        let text = held + piece.readableBytesView
        held = []
        var result = ByteBuffer()
        result.reserveCapacity(text.count)
        text.withUnsafeBytes { text in
            var (start, index) = (0, 0)
            while index < text.count {
                guard firstBytes[Int(text[index])] else {
                    index += 1
                    continue
                }
                let rest = UnsafeRawBufferPointer(rebasing: text[index...])
                switch match(rest) {
                case .none: index += 1
                case .unfinished:
                    held = Array(rest)
                    index = text.count
                case .link(let link):
                    result.writeBytes(text[start..<index])
                    result.writeBytes(link.to)
                    index += link.from.count
                    start = index
                }
            }
            result.writeBytes(text[start..<text.count - held.count])
        }
        return result
    }

    private enum Match {
        case none, unfinished
        case link(Link)
    }

    private func match(_ text: UnsafeRawBufferPointer) -> Match {
        var isUnfinished = false
        for link in links {
            if text.starts(with: link.from) {
                if !link.isRoot { return .link(link) }
                if text.count == link.from.count { return .unfinished }
                if text[link.from.count] != UInt8(ascii: "/") { return .link(link) }
            } else if text.count < link.from.count, link.from.starts(with: text) {
                isUnfinished = true
            }
        }
        return isUnfinished ? .unfinished : .none
    }

    /// A text that is whole: a header's value.
    func rewritten(_ text: [UInt8]) -> [UInt8] {
        var copy = self
        return Array(copy.feed(ByteBuffer(bytes: text)).readableBytesView) + Array(copy.finish().readableBytesView)
    }

    /// What was held back: no link after all.
    mutating func finish() -> ByteBuffer {
        defer { held = [] }
        return ByteBuffer(bytes: held)
    }
}
