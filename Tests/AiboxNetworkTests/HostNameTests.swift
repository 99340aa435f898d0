import AiboxNetwork
import Testing

@Suite("Host names")
struct HostNameTests {
    @Test(
        "one spelling for all of them",
        arguments: [
            ("plain", "example.com", "example.com"),
            ("capitals", "ExAmPle.COM", "example.com"),
            ("one trailing dot", "example.com.", "example.com"),
            ("digits and hyphens inside", "a-1.b2---c.example", "a-1.b2---c.example"),
            ("an A-label", "XN--bcher-kva.example", "xn--bcher-kva.example"),
            ("a label beyond ASCII", "bücher.example", "xn--bcher-kva.example"),
            ("in capitals", "BÜCHER.example", "xn--bcher-kva.example"),
            ("sharp s stays itself", "straße.example", "xn--strae-oqa.example"),
            ("Japanese in three scripts", "日本語テスト.example", "xn--zckzah9945czlbtz6h.example"),
            ("Cyrillic that reads as Cyrillic", "пример.example", "xn--e1afmkfd.example"),
            (
                "the longest label", String(repeating: "a", count: 63) + ".example",
                String(repeating: "a", count: 63) + ".example"
            ),
            ("numbers before a name", "1.2.3.example", "1.2.3.example"),
            ("hexadecimal-looking labels that are not last", "0x7f.example", "0x7f.example"),
        ])
    func accepted(what: String, text: String, expected: String) throws {
        #expect(try HostName(text).text == expected)
        #expect(try HostName(try HostName(text).text).text == expected, "normalising twice changes nothing")
    }

    @Test(
        "what is no name is refused",
        arguments: [
            ("nothing", "", HostNameFailure.empty),
            ("only a dot", ".", .empty),
            ("a leading dot", ".allowed.com", .emptyLabel),
            ("an empty label", "a..b.example", .emptyLabel),
            ("two trailing dots", "example.com..", .emptyLabel),
            ("254 characters", String(repeating: "a.", count: 124) + "examp1", .tooLong),
            ("a label of 64", String(repeating: "a", count: 64) + ".example", .labelTooLong),
            ("an underscore", "_dmarc.example", .character(0x5F)),
            ("a space", "a b.example", .character(0x20)),
            ("a line break", "a.example\r\nHost", .character(0x0D)),
            ("NUL", "a.example\0.evil.example", .character(0)),
            ("an escape", "a%2eexample.com", .character(0x25)),
            ("user information", "allowed.com@evil.com", .character(0x40)),
            ("a leading hyphen", "-a.example", .hyphenAtEdge),
            ("a trailing hyphen", "a-.example", .hyphenAtEdge),
            ("an A-label of nothing", "xn--.example", .hyphenAtEdge),
            ("an A-label that decodes to ASCII", "xn--abc-.example", .hyphenAtEdge),
            ("an A-label that is no Punycode", "xn--99999999.example", .punycode("xn--99999999")),
            ("a wildcard", "*.example", .character(0x2A)),
            ("a number at the end", "example.123", .numeric),
            ("a hexadecimal number at the end", "example.0x7f", .numeric),
            ("more parts than an address has", "1.2.3.4.5", .numeric),
            ("an octet too large", "1.2.3.256", .numeric),
        ])
    func refused(what: String, text: String, failure: HostNameFailure) {
        if case .punycode = failure {
            #expect(throws: HostNameFailure.self) { try HostName(text) }
        } else {
            #expect(throws: failure) { try HostName(text) }
        }
    }

    @Test(
        "an address is recognised in every disguise",
        arguments: [
            ("127.0.0.1", "127.0.0.1"), ("127.0.0.1.", "127.0.0.1"), ("2130706433", "127.0.0.1"),
            ("0x7f000001", "127.0.0.1"), ("0X7F000001", "127.0.0.1"), ("017700000001", "127.0.0.1"),
            ("0177.0.0.1", "127.0.0.1"), ("0x7f.0.0.0x1", "127.0.0.1"), ("127.1", "127.0.0.1"),
            ("127.0.1", "127.0.0.1"), ("0", "0.0.0.0"), ("4294967295", "255.255.255.255"),
            ("169.254.169.254", "169.254.169.254"), ("[::1]", "::1"), ("::1", "::1"),
            ("[fe80::1%eth0]", "fe80::1"), ("fe80::1%25eth0", "fe80::1"), ("[::ffff:127.0.0.1]", "::ffff:7f00:1"),
            ("[::FFFF:7F00:1]", "::ffff:7f00:1"), ("::", "::"), ("2001:db8::", "2001:db8::"),
            ("64:ff9b::10.0.0.1", "64:ff9b::a00:1"),
        ])
    func disguises(text: String, address: String) {
        #expect {
            try HostName(text)
        } throws: { error in
            guard case .address(let found) = error as? HostNameFailure else { return false }
            return found.description == address
        }
    }

    @Test(
        "names that read like another are refused",
        arguments: [
            ("Cyrillic among Latin", "аpple.com"), ("all letters look like Latin", "аррӏе.com"),
            ("Greek omicron in Latin", "gοοgle.com"), ("full-width letters", "ｅxample.com"),
            ("full-width dot", "example．com"), ("ideographic full stop", "example。com"),
            ("zero-width joiner", "exam\u{200D}ple.com"), ("combining accent", "e\u{0301}xample.com"),
            ("dotless i", "gıthub.com"), ("right-to-left override", "a\u{202E}b.com"),
            ("soft hyphen", "exam\u{00AD}ple.com"), ("long s", "ſite.com"), ("circled digit", "①.com"),
        ])
    func lookalikes(what: String, text: String) {
        #expect(throws: HostNameFailure.self) { try HostName(text) }
    }

    @Test("bytes beyond ASCII on the wire are no name")
    func wire() {
        #expect(throws: HostNameFailure.character(0xC3)) { try HostName(wire: Array("bücher.example".utf8)) }
    }

    @Test("random bytes give a name in normal form or a failure, and a second pass gives the same")
    func property() {
        var random = SystemRandomNumberGenerator()
        let alphabet = Array("aAzZ09-._xn0x:[]%\u{0}é".utf8)
        for _ in 0..<20_000 {
            let bytes = (0..<Int.random(in: 0...40, using: &random)).map { _ in
                alphabet.randomElement(using: &random) ?? 0
            }
            guard let name = try? HostName(wire: bytes) else { continue }
            #expect((try? HostName(wire: Array(name.text.utf8))) == name)
            #expect(IPAddress(disguised: name.text) == nil)
            #expect(name.text == name.text.lowercased() && !name.text.hasSuffix(".") && !name.text.isEmpty)
        }
    }
}
