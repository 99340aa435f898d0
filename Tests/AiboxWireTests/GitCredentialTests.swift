import AiboxWire
import Testing

@Suite("git's credential protocol")
struct GitCredentialTests {
    private static func request(_ text: String) -> GitCredentialRequest? { GitCredentialRequest(Array(text.utf8)) }

    @Test("what git sends is read, keys of many values and keys of a newer git included")
    func read() throws {
        let request = try #require(
            Self.request(
                """
                capability[]=authtype
                capability[]=state
                protocol=https
                host=git.example:8443
                path=team/x.git
                username=anna
                wwwauth[]=Basic realm="a=b"
                wwwauth[]=Bearer
                something=new

                host=after.the.end

                """))
        #expect(request.scheme == "https" && request.host == "git.example:8443")
        #expect(request.path == "team/x.git" && request.username == "anna")
        #expect(request.capabilities == ["authtype", "state"] && request.isPlausible)
        #expect(Self.request("protocol=https\nhost=a.b")?.path == nil)
        #expect(Self.request("capability[]=x\ncapability[]=\nprotocol=https\nhost=a.b\n")?.capabilities == [])
    }

    @Test(
        "what git does not send is no question",
        arguments: [
            "", "\n", "protocol=https\n", "host=a.b\n", "protocol=https\nhost=\n", "protocol=https\nhost\n",
            "protocol=https\nhost=a.b\nhost=c.d\n", "protocol=https\nprotocol=http\nhost=a.b\n",
            "=x\nprotocol=https\nhost=a.b\n",
            "protocol=https\nhost=a.b\r\n", "protocol=https\nhost=a.b\0\n", "protocol=https\nhost=a.b\npath=x\u{1b}\n",
            "protocol=https\nhost=" + String(repeating: "a", count: 70_000),
        ])
    func odd(text: String) {
        #expect(Self.request(text) == nil)
    }

    @Test(
        "only https to a name in ASCII is worth asking about",
        arguments: [
            ("https", "git.example", true), ("https", "Git.Example:8443", true), ("http", "git.example", false),
            ("HTTPS", "git.example", false), ("ssh", "git.example", false), ("https", "gіt.example", false),
            ("https", "[::1]", false), ("https", "git.example/x", false), ("https", "a@git.example", false),
            ("https", "git.example%00.evil", false), ("https", "git example", false),
        ])
    func plausible(scheme: String, host: String, expected: Bool) {
        #expect(Self.request("protocol=\(scheme)\nhost=\(host)\n")?.isPlausible == expected)
    }

    @Test("answers have git's form")
    func answers() {
        func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
        #expect(
            text(GitCredentialAnswer.bytes(.basic(user: "u"), secret: "s", expires: 7))
                == "username=u\npassword=s\npassword_expiry_utc=7\n")
        #expect(
            text(GitCredentialAnswer.bytes(.bearer, secret: "s"))
                == "capability[]=authtype\nauthtype=Bearer\ncredential=s\n")
    }
}
