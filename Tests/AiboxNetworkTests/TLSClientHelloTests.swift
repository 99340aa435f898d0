import AiboxNetwork
import Testing

/// Builds ClientHello messages field by field.
struct HelloBuilder {
    var extensions: [(UInt16, [UInt8])] = []

    static func vector(_ width: Int, _ bytes: [UInt8]) -> [UInt8] {
        (0..<width).map { UInt8(truncatingIfNeeded: bytes.count >> (8 * (width - 1 - $0))) } + bytes
    }

    static func serverName(_ name: String, type: UInt8 = 0) -> (UInt16, [UInt8]) {
        (0, vector(2, [type] + vector(2, Array(name.utf8))))
    }

    static func protocols(_ names: [String]) -> (UInt16, [UInt8]) {
        (16, vector(2, names.flatMap { vector(1, Array($0.utf8)) }))
    }

    var handshake: [UInt8] {
        let list = extensions.flatMap { [UInt8($0.0 >> 8), UInt8($0.0 & 0xFF)] + Self.vector(2, $0.1) }
        let body =
            [3, 3] + [UInt8](repeating: 7, count: 32) + [0] + Self.vector(2, [0x13, 0x01]) + [1, 0]
            + Self.vector(2, list)
        return [1] + Self.vector(3, body)
    }

    /// The handshake message cut into records of at most `fragment` bytes.
    func records(fragment: Int = 16384) -> [UInt8] {
        var rest = handshake[...]
        var bytes: [UInt8] = []
        while !rest.isEmpty {
            bytes += [22, 3, 1] + Self.vector(2, Array(rest.prefix(fragment)))
            rest = rest.dropFirst(fragment)
        }
        return bytes
    }

    static func hello(_ name: String) -> [UInt8] { HelloBuilder(extensions: [serverName(name)]).records() }
}

@Suite("TLS ClientHello")
struct TLSClientHelloTests {
    static func parse(_ bytes: [UInt8], chunk: Int = .max) -> TLSClientHelloParser.Progress {
        var parser = TLSClientHelloParser()
        var index = 0
        while index < bytes.count {
            let end = chunk >= bytes.count - index ? bytes.count : index + chunk
            let progress = parser.feed(bytes[index..<end])
            if progress != .needsMore { return progress }
            index = end
        }
        return .needsMore
    }

    @Test("name and protocols, however records and chunks are cut", arguments: [1, 3, 50, 16384], [1, 7, 100_000])
    func fragments(fragment: Int, chunk: Int) throws {
        let builder = HelloBuilder(extensions: [
            (10, [0, 2, 0, 29]), HelloBuilder.serverName("Allowed.Example"),
            HelloBuilder.protocols(["h2", "http/1.1"]),
        ])
        let expected = TLSClientHello(
            serverName: .name(try HostName("allowed.example")), applicationProtocols: ["h2", "http/1.1"],
            hasEncryptedHello: false)
        #expect(Self.parse(builder.records(fragment: fragment), chunk: chunk) == .hello(expected))
    }

    @Test("what OpenSSL sends")
    func openSSL() throws {
        let hex =
            "1603010200010001fc03039e68d99b165da9d2eed784458559f6f1f8d92d2c7d6e93e6d7d6f7478be66c7220eaf5f7f495e1d8e1cc76d481a7fd279673314654b28d54308667d7bca2e0f2b20024130213031301c02cc030c02bc02fcca9cca8c024c028c023c027009f009e006b006700ff0100018f00000011000f00000c616c6c6f7765642e74657374000b000403000102000a00160014001d0017001e0019001801000101010201030104002300000010000e000c02683208687474702f312e310016000000170000000d002a0028040305030603080708080809080a080b080408050806040105010601030303010302040205020602002b00050403040303002d00020101003300260024001d00207ebf013300771bb81c731dc32024d9874b6fa4b9f015ab8d6eca70f0cece1e16001500cf000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
        let bytes = stride(from: 0, to: hex.utf8.count, by: 2).compactMap { offset -> UInt8? in
            let start = hex.utf8.index(hex.utf8.startIndex, offsetBy: offset)
            return UInt8(hex[start..<hex.utf8.index(start, offsetBy: 2)], radix: 16)
        }
        guard case .hello(let hello) = Self.parse(bytes) else {
            Issue.record("not read")
            return
        }
        #expect(
            hello.serverName == .name(try HostName("allowed.test")) && hello.applicationProtocols == ["h2", "http/1.1"])
    }

    @Test("no name is told from a bad one")
    func names() {
        func name(_ extensions: [(UInt16, [UInt8])]) -> TLSClientHello.ServerName? {
            guard case .hello(let hello) = Self.parse(HelloBuilder(extensions: extensions).records()) else {
                return nil
            }
            return hello.serverName
        }
        #expect(name([]) == .absent)
        #expect(name([HelloBuilder.serverName("1.2.3.4")]) == .invalid(.address(.v4(0x0102_0304))))
        #expect(name([HelloBuilder.serverName("a\0.evil.example")]) == .invalid(.character(0)))
        #expect(name([HelloBuilder.serverName("*.example.com")]) == .invalid(.character(0x2A)))
    }

    @Test("an encrypted hello is seen", arguments: [UInt16(0xfe0d), 0xffce])
    func encrypted(type: UInt16) {
        guard
            case .hello(let hello) = Self.parse(
                HelloBuilder(extensions: [HelloBuilder.serverName("a.example"), (type, [0])]).records())
        else {
            Issue.record("not read")
            return
        }
        #expect(hello.hasEncryptedHello)
    }

    @Test(
        "other protocols are known by their first bytes",
        arguments: [
            Array("SSH-2.0-OpenSSH_9.2\r\n".utf8), Array("GET / HTTP/1.1\r\n".utf8), [0x80, 0x2e, 1, 3, 1],
            [21, 3, 1, 0, 2, 2, 40],
            [23, 3, 3, 0, 1, 0], [22, 2, 0], [22, 3, 9], [0],
        ])
    func notTLS(bytes: [UInt8]) {
        #expect(Self.parse(bytes) == .notTLS)
    }

    @Test("broken hellos are refused")
    func malformed() {
        let twoNames: (UInt16, [UInt8]) = (
            0, HelloBuilder.vector(2, [0] + HelloBuilder.vector(2, [97]) + [0] + HelloBuilder.vector(2, [98]))
        )
        let cases: [(String, [UInt8])] = [
            (
                "two server_name extensions",
                HelloBuilder(extensions: [HelloBuilder.serverName("a.example"), HelloBuilder.serverName("b.example")])
                    .records()
            ),
            ("two names in one extension", HelloBuilder(extensions: [twoNames]).records()),
            (
                "a name of another type",
                HelloBuilder(extensions: [HelloBuilder.serverName("a.example", type: 1)]).records()
            ),
            ("an empty record", [22, 3, 1, 0, 0]), ("a record of 16385 bytes", [22, 3, 1, 0x40, 1]),
            ("another handshake message", [22, 3, 1, 0, 4, 2, 0, 0, 0]),
            ("a hello of a megabyte", [22, 3, 1, 0, 4, 1, 0x10, 0, 0]),
            (
                "an alert between two fragments",
                Array(HelloBuilder.hello("a.example").prefix(0)) + [22, 3, 1, 0, 1, 1, 21, 3, 1]
            ),
            (
                "bytes after the hello in its record",
                [22, 3, 1] + HelloBuilder.vector(2, HelloBuilder().handshake + [0])
            ),
            (
                "an extension longer than the list",
                [22, 3, 1]
                    + HelloBuilder.vector(2, HelloBuilder(extensions: [(5, [1])]).handshake.dropLast(1).map { $0 } + [])
                    .map { $0 }
            ),
        ]
        for (what, bytes) in cases.dropLast() { #expect(Self.parse(bytes) == .malformed, "\(what)") }
        #expect(Self.parse(cases[cases.count - 1].1) == .needsMore)
    }

    @Test("a hello that never ends is refused before it fills memory")
    func endless() {
        var parser = TLSClientHelloParser()
        _ = parser.feed([22, 3, 1, 0, 4, 1, 0, 0x80, 0][...])
        var progress = TLSClientHelloParser.Progress.needsMore
        for _ in 0..<100 where progress == .needsMore {
            progress = parser.feed(([22, 3, 1, 0x10, 0] + [UInt8](repeating: 0, count: 4096))[...])
        }
        #expect(progress == .malformed)
    }
}
