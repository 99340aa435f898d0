import AiboxNetwork
import Testing

@Suite("Host patterns")
struct HostPatternTests {
    @Test(
        "an exact pattern matches that host and no look-alike",
        arguments: [
            ("allowed.com", true), ("ALLOWED.com.", true), ("allowed.com.evil.com", false), ("evilallowed.com", false),
            ("www.allowed.com", false), ("allowed.co", false), ("allowed.com-evil.com", false),
        ])
    func exact(host: String, expected: Bool) throws {
        #expect(try HostPattern("Allowed.COM").matches(try HostName(host)) == expected)
    }

    @Test(
        "a wildcard stands for exactly one label",
        arguments: [
            ("a.internal.example", true), ("A.Internal.Example.", true), ("internal.example", false),
            ("a.b.internal.example", false), ("ainternal.example", false), ("a.internal.example.evil.com", false),
        ])
    func wildcard(host: String, expected: Bool) throws {
        #expect(try HostPattern("*.internal.example").matches(try HostName(host)) == expected)
    }

    @Test(
        "patterns that would allow strangers are refused",
        arguments: [
            "*", "*.com", "*.co.uk", "*.com.au", "*.gov.br", "*.internal", "*.github.io", "*.workers.dev",
            "*.s3.amazonaws.com", "**.example.com", "*.*.example.com", "a*.example.com", "*a.example.com",
            "www.*.com", "*example.com", ".example.com", "localhost", "com", "*.", "*..com", "*.1.2.3.4",
            "gateway.aibox.internal", "*.aibox.internal", "aibox.internal",
        ])
    func refused(text: String) {
        #expect(throws: HostPatternFailure.self) { try HostPattern(text) }
    }

    @Test("the system's public suffix list adds what the floor does not know")
    func systemList() throws {
        let list = PublicSuffixList.system()
        #expect(try list.isSuffix(HostName("kawasaki.jp")) || list.hasSuffixesBelow(HostName("kawasaki.jp")))
        #expect(try !list.isSuffix(HostName("city.kawasaki.jp")), "an exception of the list")
        #expect(try !list.isSuffix(HostName("example.com")))
        #expect(throws: HostPatternFailure.self) { try HostPattern("*.kawasaki.jp", suffixes: list) }
        #expect(throws: HostPatternFailure.self) { try HostPattern("*.compute.amazonaws.com", suffixes: list) }
        #expect(throws: Never.self) { try HostPattern("*.internal.example", suffixes: list) }
    }

    @Test("a list that cannot be read leaves the floor")
    func missingList() throws {
        let list = PublicSuffixList.system(path: "/nonexistent/list")
        #expect(try list.isSuffix(HostName("co.uk")))
        #expect(try list.isSuffix(HostName("whatever")))
    }

    @Test("covering means matching at least the same names")
    func covers() throws {
        let below = try HostPattern("*.internal.example")
        let exact = try HostPattern("a.internal.example")
        #expect(below.covers(exact) && below.covers(below) && exact.covers(exact) && !exact.covers(below))
    }
}
