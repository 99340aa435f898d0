/// `uri.parse` and `uri.is_valid`: a URI reference cut into parts as Go's `net/url` does it.
enum URIText {
    /// The parts that are there, under OPA's names. Throws Go's messages, such as `parse "x": missing protocol scheme`.
    static func parse(_ text: String) throws(SupportError) -> [(name: String, value: String)] {
        let bytes = Array(text.utf8)
        let mark = bytes.firstIndex(of: UInt8(ascii: "#")) ?? bytes.endIndex
        var parts: [(name: String, value: String)]
        do throws(SupportError) {
            parts = try withoutFragment(Array(bytes[..<mark]))
        } catch {
            throw failure(bytes[..<mark], error)
        }
        do throws(SupportError) {
            let fragment = try unescaped(bytes[mark...].dropFirst(), .plain)
            if !fragment.isEmpty { parts.append(("fragment", GoText.string(repairing: fragment))) }
        } catch {
            throw failure(bytes[...], error)
        }
        return parts
    }

    /// The empty text is no URI to OPA, though it parses.
    static func isValid(_ text: String) -> Bool { !text.isEmpty && (try? parse(text)) != nil }

    private static func failure(_ text: ArraySlice<UInt8>, _ error: SupportError) -> SupportError {
        .invalid("parse \(GoText.quote(String(decoding: text, as: UTF8.self))): \(error.message)")
    }

    private static func withoutFragment(_ text: [UInt8]) throws(SupportError) -> [(name: String, value: String)] {
        if text.contains(where: { $0 < 0x20 || $0 == 0x7F }) {
            throw .invalid("net/url: invalid control character in URL")
        }
        var parts: [(name: String, value: String)] = []
        func add(_ name: String, _ value: some Sequence<UInt8>) {
            let value = Array(value)
            if !value.isEmpty { parts.append((name, GoText.string(repairing: value))) }
        }
        var rest = text[...]
        let scheme = try scheme(text)
        if let scheme {
            add("scheme", scheme.map { $0 >= 0x41 && $0 <= 0x5A ? $0 | 0x20 : $0 })
            rest = rest.dropFirst(scheme.count + 1)
        }
        let slash = UInt8(ascii: "/")
        let mark = rest.firstIndex(of: UInt8(ascii: "?")) ?? rest.endIndex
        let query = rest[mark...].dropFirst()
        rest = rest[..<mark]
        if rest.first != slash {
            if scheme != nil {
                // An opaque URI, such as mailto:a@b.
                add("raw_query", query)
                return parts
            }
            if rest.prefix(while: { $0 != slash }).contains(UInt8(ascii: ":")) {
                throw .invalid("first path segment in URL cannot contain colon")
            }
        }
        if rest.starts(with: [slash, slash]), scheme != nil || !rest.starts(with: [slash, slash, slash]) {
            let authority = rest.dropFirst(2).prefix { $0 != slash }
            rest = rest.dropFirst(2 + authority.count)
            let (host, port) = splitPort(try host(authority))
            add("hostname", host)
            add("port", port)
        }
        let path = try unescaped(rest, .plain)
        add("path", path)
        add("raw_path", escapedPath(path) == Array(rest) ? path : Array(rest))
        add("raw_query", query)
        return parts
    }

    /// nil when the text does not begin with one.
    private static func scheme(_ text: [UInt8]) throws(SupportError) -> ArraySlice<UInt8>? {
        for (index, byte) in text.enumerated() {
            switch byte {
            case 0x41...0x5A, 0x61...0x7A: continue
            case 0x30...0x39, 0x2B, 0x2D, 0x2E: if index == 0 { return nil }
            case 0x3A:
                if index == 0 { throw .invalid("missing protocol scheme") }
                return text[..<index]
            default: return nil
            }
        }
        return nil
    }

    // MARK: Authority

    /// Host and port, unescaped; the user before them is only checked.
    private static func host(_ authority: ArraySlice<UInt8>) throws(SupportError) -> [UInt8] {
        guard let at = authority.lastIndex(of: UInt8(ascii: "@")) else { return try hostAndPort(authority) }
        let result = try hostAndPort(authority[(at + 1)...])
        let user = authority[..<at]
        let allowed = Array("-._:~!$&'()*+,;=%@".utf8)
        let isValid = user.allSatisfy { allowed.contains($0) || RuneContext.isWord(UInt32($0)) }
        guard isValid else { throw .invalid("net/url: invalid userinfo") }
        _ = try unescaped(user, .plain)
        return result
    }

    private static func hostAndPort(_ text: ArraySlice<UInt8>) throws(SupportError) -> [UInt8] {
        func checkPort(_ port: ArraySlice<UInt8>) throws(SupportError) {
            guard isPort(port) else {
                throw .invalid("invalid port \(GoText.quote(String(decoding: port, as: UTF8.self))) after host")
            }
        }
        guard text.first == UInt8(ascii: "[") else {
            if let colon = text.firstIndex(of: UInt8(ascii: ":")) { try checkPort(text[colon...]) }
            return try unescaped(text, .host)
        }
        guard let close = text.lastIndex(of: UInt8(ascii: "]")) else { throw .invalid("missing ']' in host") }
        try checkPort(text[(close + 1)...])
        var address = text[..<close].dropFirst()
        var zone: [UInt8] = []
        if let percent = address.firstIndex(of: UInt8(ascii: "%")), address[percent...].starts(with: "%25".utf8) {
            zone = try unescaped(address[percent...], .zone)
            address = address[..<percent]
        }
        let literal = try unescaped(address, .host)
        guard literal.contains(UInt8(ascii: ":")), IPAddress(literal) != nil else {
            let quoted = GoText.quote(String(decoding: literal, as: UTF8.self))
            throw .invalid("invalid host: ParseAddr(\(quoted)): unable to parse IP")
        }
        return [UInt8(ascii: "[")] + literal + zone + text[close...]
    }

    private static func isPort(_ text: ArraySlice<UInt8>) -> Bool {
        guard let first = text.first else { return true }
        return first == UInt8(ascii: ":") && text.dropFirst().allSatisfy { $0 >= 0x30 && $0 <= 0x39 }
    }

    private static func splitPort(_ text: [UInt8]) -> (host: ArraySlice<UInt8>, port: ArraySlice<UInt8>) {
        var host = text[...]
        var port: ArraySlice<UInt8> = []
        if let colon = text.lastIndex(of: UInt8(ascii: ":")), isPort(text[colon...]) {
            (host, port) = (text[..<colon], text[(colon + 1)...])
        }
        if host.first == UInt8(ascii: "["), host.last == UInt8(ascii: "]") { host = host.dropFirst().dropLast() }
        return (host, port)
    }

    // MARK: Escapes

    private enum Place { case plain, host, zone }

    private static func unescaped(_ text: ArraySlice<UInt8>, _ place: Place) throws(SupportError) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(text.count)
        var rest = text
        while let byte = rest.first {
            guard byte == UInt8(ascii: "%") else {
                if place != .plain, byte < 0x80, !isHostByte(byte) {
                    let quoted = GoText.quote(String(decoding: [byte], as: UTF8.self))
                    throw .invalid("invalid character \(quoted) in host name")
                }
                result.append(byte)
                rest = rest.dropFirst()
                continue
            }
            let escape = Array(rest.prefix(3))
            let bad = SupportError.invalid("invalid URL escape \(GoText.quote(GoText.string(repairing: escape)))")
            guard escape.count == 3, let high = BigInt.digit(escape[1]), let low = BigInt.digit(escape[2]), high < 16,
                low < 16
            else { throw bad }
            let value = UInt8(high * 16 + low)
            switch place {
            case .plain: break
            // Only bytes beyond ASCII may be escaped in host names (RFC 3986), and `%` in zones (RFC 6874).
            case .host: if value < 0x80, value != UInt8(ascii: "%") { throw bad }
            case .zone: if value != UInt8(ascii: "%"), value != 0x20, !isHostByte(value) { throw bad }
            }
            result.append(value)
            rest = rest.dropFirst(3)
        }
        return result
    }

    private static func isHostByte(_ byte: UInt8) -> Bool {
        RuneContext.isWord(UInt32(byte)) || "-.~!$&'()*+,;=:[]<>\"".utf8.contains(byte)
    }

    /// How Go itself would escape a path.
    private static func escapedPath(_ path: [UInt8]) -> [UInt8] {
        let digits = Array("0123456789ABCDEF".utf8)
        let plain = Array("-.~$&+,/:;=@".utf8)
        return path.flatMap { byte in
            RuneContext.isWord(UInt32(byte)) || plain.contains(byte)
                ? [byte] : [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
        }
    }
}
