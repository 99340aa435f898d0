extension HTTPRequestHead {
    /// From the lines of a head, without their CRLF.
    init(lines: [ArraySlice<UInt8>]) throws(HTTPRefusal) {
        guard let first = lines.first else { throw .requestLine }
        let words = try Self.words(first)
        method = String(decoding: words[0], as: UTF8.self)
        minorVersion = try Self.version(words[2])
        fields = []
        for line in lines.dropFirst() { fields.append(try Self.field(line)) }
        target = try Self.target(words[1], isConnect: method == "CONNECT")
        host = try Self.host(fields, required: minorVersion == 1)
        body = try Self.body(fields, minorVersion)
        if Self.bodiless.contains(method), body != .none, body != .length(0) { throw .unexpectedBody }
    }

    /// A body of these means nothing (RFC 9110 sections 9.3.1, 9.3.2, 9.3.6): a server that does not read it takes it for the
    /// next request, which nobody has allowed.
    private static let bodiless: Set = ["CONNECT", "GET", "HEAD"]

    /// Throws what is wrong with a request line, target aside.
    static func checkRequestLine(_ line: ArraySlice<UInt8>) throws(HTTPRefusal) {
        _ = try version(try words(line)[2])
    }

    /// Method, target, version.
    private static func words(_ line: ArraySlice<UInt8>) throws(HTTPRefusal) -> [ArraySlice<UInt8>] {
        let words = line.split(separator: 0x20, omittingEmptySubsequences: false)
        guard words.count == 3, !words[1].isEmpty else { throw .requestLine }
        guard !words[0].isEmpty, words[0].count <= 32, words[0].allSatisfy(\.isToken) else { throw .method }
        return words
    }

    private static func version(_ word: ArraySlice<UInt8>) throws(HTTPRefusal) -> Int {
        if word.elementsEqual("HTTP/1.1".utf8) { return 1 }
        if word.elementsEqual("HTTP/1.0".utf8) { return 0 }
        throw .version
    }

    private static func field(_ line: ArraySlice<UInt8>) throws(HTTPRefusal) -> Field {
        if line.first == 0x20 || line.first == 0x09 { throw .folded }
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { throw .field }
        let name = line[..<colon]
        guard !name.isEmpty, name.allSatisfy(\.isToken) else { throw .field }
        var value = line[(colon + 1)...]
        while let byte = value.first, byte == 0x20 || byte == 0x09 { value = value.dropFirst() }
        while let byte = value.last, byte == 0x20 || byte == 0x09 { value = value.dropLast() }
        for byte in value where byte < 0x20 && byte != 0x09 || byte == 0x7F { throw .control }
        return Field(name: String(decoding: name, as: UTF8.self), value: Array(value))
    }

    private static func target(_ word: ArraySlice<UInt8>, isConnect: Bool) throws(HTTPRefusal) -> Target {
        // `#` never travels; bytes beyond ASCII have no meaning here.
        for byte in word where !(0x21...0x7E).contains(byte) || byte == UInt8(ascii: "#") { throw .target }
        let text = String(decoding: word, as: UTF8.self)
        if isConnect {
            guard let authority = HTTPAuthority(text[...]), let port = authority.port else { throw .target }
            return .authority(host: authority.host, port: port)
        }
        if word.first == UInt8(ascii: "/") { return .origin(path: Array(word)) }
        guard let colon = text.utf8.firstIndex(of: UInt8(ascii: ":")), text[colon...].hasPrefix("://") else {
            throw .target
        }
        let scheme = text[..<colon].lowercased()
        guard !scheme.isEmpty, scheme.utf8.allSatisfy(\.isASCIILetter) else { throw .target }
        let rest = text[text.utf8.index(colon, offsetBy: 3)...]
        let end = rest.utf8.firstIndex { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") } ?? rest.endIndex
        guard let authority = HTTPAuthority(rest[..<end]) else { throw .target }
        var path = Array(rest[end...].utf8)
        if path.first != UInt8(ascii: "/") { path.insert(UInt8(ascii: "/"), at: 0) }
        let port = authority.port ?? (scheme == "https" ? 443 : 80)
        return .absolute(scheme: scheme, host: authority.host, port: port, path: path)
    }

    private static func host(_ fields: [Field], required: Bool) throws(HTTPRefusal) -> HTTPAuthority? {
        let hosts = fields.filter { $0.is("host") }
        if hosts.isEmpty, !required { return nil }
        guard hosts.count == 1, hosts[0].value.allSatisfy({ (0x21...0x7E).contains($0) }),
            let authority = HTTPAuthority(hosts[0].text[...])
        else { throw .host }
        return authority
    }

    private static func body(_ fields: [Field], _ minorVersion: Int) throws(HTTPRefusal) -> Body {
        let lengths = fields.filter { $0.is("content-length") }
        let encodings = fields.filter { $0.is("transfer-encoding") }
        if !encodings.isEmpty {
            guard lengths.isEmpty else { throw .length }
            guard encodings.count == 1, minorVersion == 1, encodings[0].text.lowercased() == "chunked" else {
                throw .encoding
            }
            return .chunked
        }
        guard let length = lengths.first else { return .none }
        let digits = length.value
        guard lengths.count == 1, (1...18).contains(digits.count), digits.allSatisfy(\.isASCIIDigit),
            let number = Int64(length.text)
        else { throw .length }
        return .length(number)
    }
}
