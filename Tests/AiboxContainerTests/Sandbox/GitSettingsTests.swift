import AiboxSystem
import AiboxTestSupport
import AiboxWire
import Testing

@testable import AiboxContainer

/// What is written to /etc/gitconfig, read by git itself.
@Suite("Git's settings inside")
struct GitSettingsTests {
    private static func grant(_ host: String, port: UInt16 = 443, _ path: String = "/") -> PlaceGrant {
        PlaceGrant(.git, name: "git-token:\(host)", host: host, port: port, path: path, value: "v", secret: "s")
    }

    static let spellings: [(url: String, place: String?)] = [
        ("https://git.example.com/team/x.git", "git.example.com/team/x.git"),
        ("https://git.example.com:443/team/x.git", "git.example.com/team/x.git"),
        ("https://git@git.example.com/team/x.git", "git.example.com/team/x.git"),
        ("git@git.example.com:team/x.git", "git.example.com/team/x.git"),
        ("ssh://git@git.example.com/team/x.git", "git.example.com/team/x.git"),
        ("https://other.example.com:8443/x.git", "other.example.com:8443/x.git"),
        ("https://part.example.com/t\"e\\a;m/x.git", "part.example.com/t\"e\\a;m/x.git"),
        ("https://one.example.com/team/only.git", "one.example.com/team/only.git"),
        // Not theirs.
        ("https://git.example.com.evil.example/x.git", nil), ("https://part.example.com/teams/x.git", nil),
        ("https://somebody@git.example.com/x.git", nil), ("http://git.example.com/x.git", nil),
        ("git@other.example.com:x.git", nil),
    ]

    @Test("lead to the broker, however the URL is spelled, without an environment; what the image says stays")
    func spelled() throws {
        let places = [
            Self.grant("git.example.com"), Self.grant("other.example.com", port: 8443),
            Self.grant("part.example.com", "/t\"e\\a;m"), Self.grant("one.example.com", "/team/only.git"),
        ]
        let file = try #require(try GitSettings.file(places) { "[safe]\n\tdirectory = /workspace" })
        #expect(file.target == "/etc/gitconfig" && !file.text.contains("= \"v\""))
        let folder = try TemporaryFolder(prefix: "aibox-gitconfig")
        let path = try folder.write("gitconfig", file.text)
        func git(_ words: String...) throws -> CommandResult {
            try SystemCommandRunner().run(
                Command(
                    "env",
                    [
                        "-i", "PATH=/usr/bin:/bin", "HOME=\(folder.path)", "GIT_CONFIG_SYSTEM=\(path)", "git", "-C",
                        folder.path,
                    ] + words))
        }
        for row in Self.spellings {
            let broker = row.place.map { "http://10.200.1.1:8443/git/" + $0 }
            let led = try git("ls-remote", "--get-url", row.url)
            #expect(led.text == broker ?? row.url, "\(led.errorText)")
        }
        #expect(try git("config", "--system", "--get-all", "safe.directory").text == "/workspace")
    }

    @Test("are there only where a credential for git is lent, and the image is looked at only then")
    func none() throws {
        let mirror = PlaceGrant(.mirror, name: "m", host: "m.example", value: "v", secret: "s")
        let file = try GitSettings.file([mirror]) { () throws(AiboxError) in
            throw AiboxError(.failed, "it was looked at")
        }
        #expect(file == nil)
        #expect(throws: AiboxError.self) {
            try GitSettings.file([Self.grant("a.example")]) { () throws(AiboxError) in
                throw AiboxError(.failed, "it cannot be read")
            }
        }
    }
}
