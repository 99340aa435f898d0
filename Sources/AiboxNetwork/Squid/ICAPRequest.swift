/// What Squid asks about a request that it reads in an opened tunnel, before anything of it goes out: one `REQMOD` or
/// `OPTIONS` of ICAP (RFC 3507).
///
/// Only Squid asks, but most of what it passes on was written by a sandbox: everything is bounded, and what is not as Squid
/// writes it ends the connection, which refuses the request.
public enum ICAPRequest: Sendable, Equatable {
    /// What can be asked here.
    case options(path: String)
    /// May this request go out: its method and its URL, as Squid normalised them, and its head in full.
    case modify(path: String, method: String, url: String, head: [UInt8])

    public enum Failure: Error, Sendable, Equatable {
        case tooLong, malformed
    }
}

/// Takes a connection's bytes apart into requests.
public struct ICAPRequestParser: Sendable {
    private var buffer: [UInt8] = []

    /// Bytes of ICAP's own head, and of the head of HTTP within: more than Squid takes (`request_header_max_size`).
    static let headLimit = 8 << 10
    static let innerLimit = 128 << 10

    private static let blankLine = Array("\r\n\r\n".utf8)

    public init() {}

    public mutating func feed(_ bytes: some Collection<UInt8>) { buffer += bytes }

    /// The next request; nil until it is there in full.
    public mutating func next() throws(ICAPRequest.Failure) -> ICAPRequest? {
        guard let headEnd = Self.end(of: buffer[...], limit: Self.headLimit) else {
            if buffer.count > Self.headLimit { throw .tooLong }
            return nil
        }
        let head = try Head(buffer[..<headEnd])
        guard head.isModification else {
            buffer.removeFirst(headEnd)
            return .options(path: head.path)
        }
        guard let inner = head.innerLength, inner <= Self.innerLimit else { throw .tooLong }
        // Of a body only an empty preview comes along.
        let previews = head.hasBody ? ["0\r\n\r\n", "0; ieof\r\n\r\n"].map { Array($0.utf8) } : [[]]
        let rest = buffer[headEnd...].dropFirst(inner)
        guard let preview = previews.first(where: { rest.starts(with: $0) }) else {
            let mayCome = buffer.count - headEnd < inner || previews.contains { $0.starts(with: rest) }
            if mayCome { return nil }
            throw .malformed
        }
        if buffer.count - headEnd < inner { return nil }
        let line = buffer[headEnd..<(headEnd + inner)].prefix { $0 != UInt8(ascii: "\r") }
        let words = line.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
        guard words.count == 3, words[2].starts(with: Array("HTTP/".utf8)), !words[0].isEmpty, !words[1].isEmpty,
            buffer[headEnd..<(headEnd + inner)].suffix(4).elementsEqual(Self.blankLine)
        else { throw .malformed }
        let request = ICAPRequest.modify(
            path: head.path, method: String(decoding: words[0], as: UTF8.self),
            url: String(decoding: words[1], as: UTF8.self), head: Array(buffer[headEnd..<(headEnd + inner)]))
        buffer.removeFirst(headEnd + inner + preview.count)
        return request
    }

    /// The index behind the blank line; nil if there is none within the limit.
    private static func end(of bytes: ArraySlice<UInt8>, limit: Int) -> Int? {
        let within = bytes.prefix(limit)
        var at = within.startIndex
        while let found = within[at...].firstIndex(of: UInt8(ascii: "\r")) {
            if within[found...].starts(with: blankLine) { return found + 4 }
            at = found + 1
        }
        return nil
    }

    /// ICAP's own head.
    private struct Head {
        let isModification: Bool
        /// Of the address asked, with its slash.
        let path: String
        /// Bytes of the head of HTTP that follows.
        private(set) var innerLength: Int?
        private(set) var hasBody = false

        init(_ bytes: ArraySlice<UInt8>) throws(ICAPRequest.Failure) {
            guard bytes.allSatisfy({ (0x20...0x7E).contains($0) || $0 == 0x0D || $0 == 0x0A || $0 == 0x09 }) else {
                throw .malformed
            }
            let lines = String(decoding: bytes.dropLast(4), as: UTF8.self).split(
                separator: "\r\n", omittingEmptySubsequences: false)
            let words = lines[0].split(separator: " ", omittingEmptySubsequences: false)
            guard words.count == 3, words[2] == "ICAP/1.0", words[1].hasPrefix("icap://") else { throw .malformed }
            path = String(words[1].dropFirst(7).drop { $0 != "/" })
            switch words[0] {
            case "OPTIONS": isModification = false
            case "REQMOD": isModification = true
            default: throw .malformed
            }
            var preview: Substring?
            var encapsulated: Substring?
            for line in lines.dropFirst() {
                guard let colon = line.firstIndex(of: ":") else { throw .malformed }
                let value = line[line.index(after: colon)...].drop { $0 == " " }
                switch line[..<colon].lowercased() {
                case "preview":
                    if preview != nil { throw .malformed }
                    preview = value
                case "encapsulated":
                    if encapsulated != nil { throw .malformed }
                    encapsulated = value
                default: continue
                }
            }
            guard isModification else { return }
            // Squid: `req-hdr=0, null-body=N` or `req-hdr=0, req-body=N`.
            let parts = (encapsulated ?? "").split(separator: ", ", omittingEmptySubsequences: false)
            guard parts.count == 2, parts[0] == "req-hdr=0" else { throw .malformed }
            let section = parts[1].split(separator: "=", omittingEmptySubsequences: false)
            guard section.count == 2, section[0] == "null-body" || section[0] == "req-body",
                section[1].utf8.allSatisfy({ (0x30...0x39).contains($0) }), let length = Int(section[1]), length > 4
            else { throw .malformed }
            innerLength = length
            hasBody = section[0] == "req-body"
            // A body that is not held back would have gone past before the answer.
            if hasBody, preview != "0" { throw .malformed }
        }
    }
}
