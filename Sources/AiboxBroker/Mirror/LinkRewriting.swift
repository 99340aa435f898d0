import AiboxNetwork
import AiboxWire
import NIOCore

/// Leads the absolute links of an index back through the broker: npm's `dist.tarball`, NuGet's service index, cargo's `dl`,
/// pages of pip's with whole URLs. A client that followed one would come to the mirror without a credential.
///
/// Only the exact beginning `https://HOST[:PORT]/PATH/` of places that are lent is replaced, as it is and as JSON may
/// escape it, wherever the pieces of a stream begin and end. Nothing is parsed.
struct LinkRewriting {
    private let links: [(from: [UInt8], to: [UInt8])]
    private var held: [UInt8] = []

    /// Types of indexes. None of those whose files are checked against a sum: packages, Maven's XML, Gradle's modules.
    static func isIndex(_ contentType: String?) -> Bool {
        let type = (contentType ?? "").prefix { $0 != ";" }.lowercased().filter { $0 != " " && $0 != "\t" }
        switch type {
        case "text/html", "application/json", "application/atom+xml", "application/vnd.pypi.simple.v1+html": return true
        case "application/vnd.org.gradle.module+json": return false
        default: return type.hasPrefix("application/") && type.hasSuffix("+json")
        }
    }

    /// - Parameter broker: `host:port` as the client calls it.
    init(_ places: [PlaceAccess], broker: String) {
        var links: [(from: [UInt8], to: [UInt8])] = []
        for grant in places.map(\.grant) {
            let below = grant.path == "/" ? "/" : grant.path + "/"
            var authorities = [grant.authority]
            if grant.port == 443 { authorities.append("\(grant.host):443") }
            for authority in authorities {
                let (from, to) = ("https://\(authority)\(below)", "http://\(broker)\(grant.brokerPath)/")
                links.append((Array(from.utf8), Array(to.utf8)))
                let escaped = [from, to].map { Array($0.replacing("/", with: "\\/").utf8) }
                links.append((escaped[0], escaped[1]))
            }
        }
        self.links = links
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
                // Every link begins with https.
                guard text[index] == UInt8(ascii: "h") else {
                    index += 1
                    continue
                }
                let rest = UnsafeRawBufferPointer(rebasing: text[index...])
                if let link = links.first(where: { rest.starts(with: $0.from) }) {
                    result.writeBytes(text[start..<index])
                    result.writeBytes(link.to)
                    index += link.from.count
                    start = index
                } else if links.contains(where: { rest.count < $0.from.count && $0.from.starts(with: rest) }) {
                    held = Array(rest)
                    break
                } else {
                    index += 1
                }
            }
            result.writeBytes(text[start..<text.count - held.count])
        }
        return result
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
